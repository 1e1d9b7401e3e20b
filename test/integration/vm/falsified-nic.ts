// SPDX-License-Identifier: Apache-2.0
// A card that lies, or dies: another card whose answers and inputs are changed on the way.
import type { NicDevice, NicDeviceFactory, NicOutputs } from '#src/nic/device.js';
import { MAX_USERS, Register, USER_STATES, USER_STATE_BYTES, UserState } from '#src/nic/regs.js';

export interface Falsehood {
  /** what reads of a register give instead of the truth */
  registers?: Partial<Record<keyof typeof Register, number>>;
  /** the cable is never in */
  neverLinked?: boolean;
  /** no user ever gets quiet: a state of `quiesced` is answered as `quiescing` */
  neverQuiet?: boolean;
  /** every read gives all ones and every write is lost, as of a card that was pulled; may be switched on later */
  dead?: boolean;
}

/** Makes a card that behaves like one of `factory`, but for `lie`, which may change while the card runs. */
export function falsified(factory: NicDeviceFactory, lie: Falsehood): NicDeviceFactory {
  return (outputs) => {
    const reads = new Map<number, { address: number; lengthBytes: number }>();
    const wrapped: NicOutputs = {
      ...bound(outputs),
      mmioReadDone: (timePs, tag, bytes) => {
        const read = reads.get(tag)!;
        reads.delete(tag);
        outputs.mmioReadDone(timePs, tag, answer(lie, read.address, bytes));
      },
    };
    const card = factory(wrapped);
    if (lie.neverLinked) card.link(false);
    const device: NicDevice = {
      ...boundDevice(card),
      mmioWrite: (address, bytes) => {
        if (!lie.dead) card.mmioWrite(address, bytes);
      },
      mmioRead: (tag, address, lengthBytes) => {
        reads.set(tag, { address, lengthBytes });
        card.mmioRead(tag, address, lengthBytes);
      },
      link: (up) => card.link(up && !lie.neverLinked),
      reset: () => {
        reads.clear();
        card.reset();
      },
    };
    return device;
  };
}

function answer(lie: Falsehood, address: number, bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (lie.dead) return copy.fill(0xff);
  const inStates = address >= USER_STATES && address < USER_STATES + (MAX_USERS + 1) * USER_STATE_BYTES;
  if (lie.neverQuiet && inStates && copy[0] === UserState.quiesced) copy[0] = UserState.quiescing;
  for (const [name, value] of Object.entries(lie.registers ?? {})) {
    const at = Register[name as keyof typeof Register] - address;
    for (let i = 0; i < 4; i++) {
      if (at + i >= 0 && at + i < copy.length) copy[at + i] = (value >>> (8 * i)) & 0xff;
    }
  }
  return copy;
}

function bound(outputs: NicOutputs): NicOutputs {
  return {
    dmaRead: (...words) => outputs.dmaRead(...words),
    dmaWrite: (...words) => outputs.dmaWrite(...words),
    frameOut: (...words) => outputs.frameOut(...words),
    mmioReadDone: (...words) => outputs.mmioReadDone(...words),
  };
}

function boundDevice(card: NicDevice): NicDevice {
  return {
    mmioWrite: (...words) => card.mmioWrite(...words),
    mmioRead: (...words) => card.mmioRead(...words),
    dmaReadDone: (...words) => card.dmaReadDone(...words),
    dmaWriteDone: (...words) => card.dmaWriteDone(...words),
    frameIn: (frame) => card.frameIn(frame),
    link: (up) => card.link(up),
    reset: () => card.reset(),
    advance: (untilPs) => card.advance(untilPs),
    nextEventPs: () => card.nextEventPs(),
    rebase: (byPs) => card.rebase(byPs),
  };
}
