// SPDX-License-Identifier: Apache-2.0
// The simulated network on the host side: ports exchange whole frames (Ethernet header to payload, without FCS).

/** One end of a cable. */
export interface EthernetPort {
  /** Sends a frame; it belongs to the network from now on. */
  send(frame: Uint8Array): void;
  /** Who hears the frames that arrive, and whether there is anybody at the other end. */
  attach(receiver: FrameReceiver): void;
}

export interface FrameReceiver {
  frame(frame: Uint8Array): void;
  link(up: boolean): void;
}

/** A hub: what one port sends, all others get, in the order sent and never from within the sender's call. */
export class Hub {
  readonly #ports: HubPort[] = [];
  readonly #queue: { from: HubPort; frame: Uint8Array }[] = [];
  #scheduled = false;

  /** A new port; its link is up as long as the hub has it. */
  addPort(): EthernetPort & { remove(): void } {
    const port = new HubPort(this);
    this.#ports.push(port);
    return port;
  }

  removePort(port: HubPort): void {
    const index = this.#ports.indexOf(port);
    if (index < 0) return;
    this.#ports.splice(index, 1);
    port.receiver?.link(false);
  }

  forward(from: HubPort, frame: Uint8Array): void {
    this.#queue.push({ from, frame });
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    const frames = this.#queue.splice(0);
    for (const { from, frame } of frames) {
      const others = this.#ports.filter((port) => port !== from && port.receiver);
      // Each receiver may keep what it gets, so all but the last get a copy.
      others.forEach((port, index) => {
        port.receiver?.frame(index === others.length - 1 ? frame : frame.slice());
      });
    }
  }
}

class HubPort implements EthernetPort {
  receiver: FrameReceiver | undefined;

  constructor(private readonly hub: Hub) {}

  send(frame: Uint8Array): void {
    this.hub.forward(this, frame);
  }

  attach(receiver: FrameReceiver): void {
    this.receiver = receiver;
    receiver.link(true);
  }

  remove(): void {
    this.hub.removePort(this);
  }
}
