// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { Hub, type EthernetPort } from '#src/vm/ethernet-port.js';

describe('hub', () => {
  function listen(port: EthernetPort): { frames: Uint8Array[]; links: boolean[] } {
    const heard = { frames: [] as Uint8Array[], links: [] as boolean[] };
    port.attach({ frame: (frame) => heard.frames.push(frame), link: (up) => heard.links.push(up) });
    return heard;
  }

  it('gives each frame to all others, in order, after the call that sent it', async () => {
    const hub = new Hub();
    const ports = [hub.addPort(), hub.addPort(), hub.addPort()];
    const heard = ports.map(listen);
    ports[0]!.send(Uint8Array.of(1));
    ports[1]!.send(Uint8Array.of(2));
    expect(heard.map(({ frames }) => frames.length)).to.deep.equal([0, 0, 0]);
    await Promise.resolve();
    expect(heard.map(({ frames }) => frames.map((frame) => frame[0]))).to.deep.equal([[2], [1], [1, 2]]);
  });

  it('gives everyone a frame of their own', async () => {
    const hub = new Hub();
    const [from, a, b] = [hub.addPort(), hub.addPort(), hub.addPort()];
    const heard = [listen(a), listen(b)];
    from.send(Uint8Array.of(7, 7));
    await Promise.resolve();
    heard[0]!.frames[0]!.fill(0);
    expect([...heard[1]!.frames[0]!]).to.deep.equal([7, 7]);
  });

  it('tells who is attached that the link is up, and down when the port is taken away', () => {
    const hub = new Hub();
    const port = hub.addPort();
    const heard = listen(port);
    port.remove();
    port.remove();
    expect(heard.links).to.deep.equal([true, false]);
  });
});
