// SPDX-License-Identifier: Apache-2.0
/**
 * The grant rules over plain objects, for checking `GrantScheduler`: nothing is kept up to date, every total, order and
 * choice is worked out anew from the messages each time, by sorting all of them.
 */
export interface OracleSettings {
  maxIncoming: number;
  maxOvercommit: number;
  window: number;
  maxScheduledPriority: number;
  fifoPriority: number;
  fifoIncrement: number;
  fifoInterval: number;
}
interface Message {
  id: number;
  peer: number;
  length: number;
  granted: number;
  received: number;
  birth: number;
  place: 'waiting' | 'active' | 'blocked' | 'full' | 'fresh';
  needy: boolean;
}

export class GrantOracle {
  messages: Message[] = [];
  grants: [number, number, number][] = [];
  now = 0;
  private births = 0;
  private fifoDue = 0;

  constructor(private readonly settings: OracleSettings) {}

  private ranked(messages: Message[]): Message[] {
    const left = (m: Message): number => m.length - m.received;
    return [...messages].sort((a, b) => left(a) - left(b) || a.birth - b.birth);
  }
  private get active(): Message[] {
    return this.messages.filter((m) => m.place === 'active');
  }
  private activeOf(peer: number): number {
    return this.active.filter((m) => m.peer === peer).length;
  }
  get totalIncoming(): number {
    return this.messages
      .filter((m) => m.place !== 'blocked' && m.place !== 'fresh')
      .reduce((sum, m) => sum + Math.max(0, m.granted - m.received), 0);
  }
  private get headroom(): number {
    return this.settings.maxIncoming - this.totalIncoming;
  }
  private get window(): number {
    return this.settings.window || Math.floor(this.settings.maxIncoming / (this.active.length + 1));
  }
  find(id: number): Message | undefined {
    return this.messages.find((m) => m.id === id);
  }

  add(id: number, peer: number, length: number, granted: number, received: number, blocked: boolean): void {
    const place = blocked ? 'blocked' : received === 0 ? 'fresh' : 'waiting';
    const message: Message = {
      id,
      peer,
      length,
      granted,
      received,
      birth: this.births++,
      place,
      needy: false,
    };
    this.messages.push(message);
    if (place === 'waiting') this.check(message);
  }
  progress(id: number, received: number): void {
    const message = this.find(id);
    if (!message) return;
    message.received = received;
    if (received >= message.length) this.remove(id);
    else if (message.place !== 'blocked') {
      if (message.place === 'fresh') message.place = 'waiting';
      this.check(message);
    }
  }
  remove(id: number): void {
    const message = this.find(id);
    if (!message) return;
    this.messages = this.messages.filter((m) => m !== message);
    if (message.place === 'active') this.promote();
    this.serveNeedy();
  }
  block(id: number): void {
    const message = this.find(id);
    if (!message || message.place === 'blocked') return;
    const wasActive = message.place === 'active';
    message.place = 'blocked';
    message.needy = false;
    if (wasActive) this.promote();
    this.serveNeedy();
  }
  unblock(id: number): void {
    const message = this.find(id);
    if (message?.place !== 'blocked') return;
    message.place = message.granted >= message.length ? 'full' : 'waiting';
    this.check(message);
  }

  private check(message: Message): void {
    if (message.place === 'waiting') this.tryToActivate(message);
    if (message.place === 'active' && message.received + this.window > message.granted) {
      if (this.headroom <= 0 || this.active.some((m) => m.needy)) message.needy = true;
      else this.grant(message);
    }
    this.serveNeedy();
  }

  private tryToActivate(candidate: Message): void {
    if (this.active.length < this.settings.maxOvercommit) {
      candidate.place = 'active';
      return;
    }
    const count = (m: Message): number => this.activeOf(m.peer) + (m.peer === candidate.peer ? 1 : 0);
    const most = Math.max(...this.active.map(count));
    const victim = this.ranked(this.active.filter((m) => count(m) === most)).at(-1)!;
    const unfair = this.activeOf(victim.peer) > this.activeOf(candidate.peer) + 1;
    if (!unfair && this.ranked([victim, candidate])[0] === victim) return;
    victim.place = 'waiting';
    victim.needy = false;
    candidate.place = 'active';
  }

  private promote(): void {
    const waiting = this.messages.filter((m) => m.place === 'waiting');
    if (waiting.length === 0) return;
    const fewest = Math.min(...waiting.map((m) => this.activeOf(m.peer)));
    const best = this.ranked(waiting.filter((m) => this.activeOf(m.peer) === fewest))[0]!;
    best.place = 'active';
    best.needy = true;
  }

  private grant(message: Message): void {
    const wanted = Math.min(message.received + this.window, message.length) - message.granted;
    if (wanted <= 0) return;
    const delta = Math.min(wanted, this.headroom);
    message.needy = delta < wanted;
    const n = this.active.length;
    const rank = this.ranked(this.active).indexOf(message);
    const max = this.settings.maxScheduledPriority;
    this.give(message, delta, Math.max(0, (n <= max ? n - 1 : max) - rank));
    this.fifo();
  }

  private give(message: Message, delta: number, priority: number): void {
    message.granted += delta;
    this.grants.push([message.id, message.granted, priority]);
    if (message.granted < message.length) return;
    const wasActive = message.place === 'active';
    message.place = 'full';
    message.needy = false;
    if (wasActive) this.promote();
  }

  private fifo(): void {
    const increment = this.settings.fifoIncrement;
    if (increment === 0 || this.now < this.fifoDue) return;
    this.fifoDue = this.now + this.settings.fifoInterval;
    const oldest = this.messages
      .filter((m) => m.place === 'active' || m.place === 'waiting')
      .filter((m) => m.granted - m.received < this.window + 2 * increment)
      .sort((a, b) => a.birth - b.birth)[0];
    if (oldest)
      this.give(oldest, Math.min(increment, oldest.length - oldest.granted), this.settings.fifoPriority);
  }

  private serveNeedy(): void {
    for (;;) {
      const needy = this.ranked(this.active.filter((m) => m.needy))[0];
      if (needy === undefined || this.headroom <= 0) return;
      needy.needy = false;
      this.grant(needy);
    }
  }
}
