// SPDX-License-Identifier: Apache-2.0
// The command line of QEMU, which runs from the unpacked packages with their own C library.
import { join } from 'node:path';
import type { GuestPackages } from './packages/guest-packages.js';

/** A message that QEMU gets no answer to for so long makes its read all-ones. */
const MESSAGE_TIMEOUT_MS = 60_000;

export interface QemuSetup {
  packages: GuestPackages;
  kernel: string;
  initramfs: string;
  memoryMegabytes: number;
  /** file of that size that becomes the RAM */
  ramPath: string;
  /** one vfio-user socket per card, in order of slot */
  cardSockets: readonly string[];
  agentSocket: string;
  consoleLog: string;
  /** QEMU's control socket (QMP) */
  controlSocket: string;
  /** put an emulated Intel IOMMU between the cards and memory */
  iommu: boolean;
}

/** A program of the unpacked packages, started by their own loader with their own libraries. */
export function privateProgram(packages: GuestPackages, path: string): string[] {
  const { qemuRoot } = packages;
  const loader = join(qemuRoot, 'usr/lib64/ld-linux-x86-64.so.2');
  const libraries = join(qemuRoot, 'usr/lib/x86_64-linux-gnu');
  return [loader, '--library-path', libraries, '--argv0', path.split('/').pop()!, join(qemuRoot, path)];
}

/** Words of the whole command. */
export function qemuCommand(setup: QemuSetup): string[] {
  const { packages } = setup;
  const data = ['qemu', 'seabios'].map((name) => join(packages.qemuRoot, 'usr/share', name));
  data.push(join(packages.qemuRoot, 'usr/lib/ipxe/qemu'));
  const command = ['console=ttyS0', 'panic=-1', 'quiet', 'loglevel=4', 'random.trust_cpu=1'];
  // The guest's own software must see the card behind the IOMMU, not pass around it.
  if (setup.iommu) command.push('intel_iommu=on', 'iommu.passthrough=0');
  const cards = setup.cardSockets.flatMap((path, index) => [
    '-device',
    `pcie-root-port,id=rp${index},chassis=${index + 1},slot=${index + 1}`,
    '-device',
    JSON.stringify({
      driver: 'vfio-user-pci',
      id: `card${index}`,
      bus: `rp${index}`,
      'x-msg-timeout': MESSAGE_TIMEOUT_MS,
      socket: { type: 'unix', path },
    }),
  ]);
  return [
    ...privateProgram(packages, 'usr/bin/qemu-system-x86_64'),
    ...data.flatMap((folder) => ['-L', folder]),
    '-nodefaults',
    '-no-user-config',
    '-no-reboot',
    ...['-display', 'none'],
    // The machine's KVM may be one that Debian's kernels do not run under; TCG runs everywhere.
    ...['-accel', 'tcg'],
    ...['-M', setup.iommu ? 'q35,kernel-irqchip=split,memory-backend=ram' : 'q35,memory-backend=ram'],
    ...['-cpu', 'max'],
    ...['-m', String(setup.memoryMegabytes)],
    ...[
      '-object',
      `memory-backend-file,id=ram,size=${setup.memoryMegabytes}M,mem-path=${setup.ramPath},share=on`,
    ],
    ...['-smp', '1'],
    ...['-kernel', setup.kernel],
    ...['-initrd', setup.initramfs],
    ...['-append', command.join(' ')],
    ...['-chardev', `file,id=console,path=${setup.consoleLog}`],
    ...['-serial', 'chardev:console'],
    ...['-qmp', `unix:${setup.controlSocket},server=on,wait=off`],
    ...(setup.iommu ? ['-device', 'intel-iommu,intremap=off,caching-mode=on'] : []),
    ...['-device', 'virtio-serial-pci,id=ports'],
    ...['-chardev', `socket,id=agent,path=${setup.agentSocket}`],
    ...['-device', 'virtserialport,bus=ports.0,chardev=agent,name=homa-nic.agent'],
    ...cards,
  ];
}

/** What QEMU needs in its environment. */
export function qemuEnvironment(packages: GuestPackages): Record<string, string> {
  return { QEMU_MODULE_DIR: join(packages.qemuRoot, 'usr/lib/x86_64-linux-gnu/qemu') };
}
