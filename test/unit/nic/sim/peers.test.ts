// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { Peers } from '#src/nic/sim/peers.js';

const address = (n: number): Uint32Array => Uint32Array.of(0xfd000000, n % 3, 7, n);

describe('peers', () => {
  it('gives every address its own number and finds it again', () => {
    const peers = new Peers(500);
    const numbers = Array.from({ length: 500 }, (_, n) => peers.findOrAdd(address(n)));
    expect(new Set(numbers).size).to.equal(500);
    numbers.forEach((number, n) => {
      expect(peers.find(address(n))).to.equal(number);
      expect([...peers.address(number)]).to.deep.equal([...address(n)]);
    });
  });

  it('gives the number of a peer without RPCs to a newcomer, and tells of it', () => {
    const peers = new Peers(3);
    const told: number[] = [];
    peers.onReplaced = (peer) => told.push(peer);
    const [a, b, c] = [1, 2, 3].map((n) => peers.findOrAdd(address(n)));
    peers.setMac(b!, 1, 2);
    peers.hold(a!);
    peers.hold(c!);
    expect(peers.findOrAdd(address(4))).to.equal(b);
    expect(peers.find(address(2))).to.equal(-1);
    expect(peers.isResolved(b!)).to.equal(false);
    peers.hold(b!);
    expect(peers.findOrAdd(address(5))).to.equal(-1);
    peers.letGo(a!);
    expect(peers.findOrAdd(address(5))).to.equal(a);
    expect(told).to.deep.equal([a, b, c, b, a]);
  });
});
