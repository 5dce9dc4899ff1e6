/** So often each open port is asked again while all goes well; all of them together no more often than that. */
const EACH_MS = 10_000;
const LEAST_MS = 1000;
/** The same once the path was choked; together no less often than this. */
const WARY_EACH_MS = 8000;
const WARY_LEAST_MS = 500;
const WARY_MOST_MS = 3000;
/** After one that did not answer where it is the only one (otherwise another is asked at once), how long nothing is sent because of it, and while nothing gets through. */
const DOUBT_MS = 1000;
const UNSURE_MS = 2500;
const CHOKED_MS = 2000;
/** Of so many canaries two that stay silent mean that the path is choked: where one packet in a hundred is lost each way, that is one in 600. */
const LOOK_BACK = 5;
/** A state table forgets a connection that was never answered after two minutes (Linux: nf_conntrack_tcp_timeout_syn_sent, 120 s). */
export const GIVE_UP_MS = 150_000;
/**
 * A table that is full lets one through now and then: so what is asked again was asked since a canary that was followed by so many good ones, but no longer ago
 * than this.
 */
const GOOD_BEFORE = 8;
const BACK_MS = 30_000;
/** Once it bears the sweep again, the rate rises by so much a second; it stays below the one at which it choked, which is forgotten more slowly. */
const RISE = 0.01;
const FORGET = 0.0003;
/** Of what a path has borne from one recovery to the next it is given this share, and rises to at most that: what was sent when it choked is known roughly. */
const CAUTION = 0.8;
const MOST_OF_BORNE = 0.95;
/** It is sure to be less than that at which it choked. */
const LESS = 0.7;
/** So often the path may choke before it is given up, where it has not held out for so long in between. */
const MOST_CHOKES = 12;
const HELD_OUT_MS = 600_000;
/** After so many packets that nobody was asked about afterwards the path may have dropped some: smaller state tables are hardly to be found. */
export const MOST_UNWATCHED = 2048;

const MOST_CANARIES = 16;
const PER_NETWORK = 4;

/** An open port that is asked again now and then. */
interface Canary {
  readonly endpoint: number;
  readonly network: number | bigint;
  /** It refuses connections: asked only while no other is known. */
  readonly isSpare: boolean;
  /** How often in a row it did not answer. */
  strikes: number;
  lastAt: number;
}

/** A moment, and how many packets had left by then. */
interface Stretch {
  readonly at: number;
  readonly packets: number;
}

/** What a canary has told: `good`, `missed` (this one did not answer), `choked` (from now on the path is), `through` (it is no longer), `lost` (it is given up). */
export type Verdict = 'good' | 'missed' | 'choked' | 'through' | 'lost';

/**
 * Whether the path bears the sweep. A state table in it (a firewall, a NAT) that is full drops what is new without a word, which looks like silence. So ports
 * that were found open are asked again: canaries. This decides who is asked when, and what follows from the answers; it sends nothing.
 */
export class PathWatch {
  #canaries: Canary[] = [];
  /** What was asked before this moment is dealt with. */
  #since = -Infinity;
  /** Whether the last ones answered. */
  #last: boolean[] = [];
  #asking: Canary | undefined;
  /** That of the last one. */
  #network: number | bigint | undefined;
  /** The end of the last question. */
  #at: number;
  /** When the last good ones were asked, the oldest first. */
  #good: number[] = [];
  #packetsAtGood = 0;
  #chokedAt: number | undefined;
  /** When the last one did not answer, until another tells. */
  #unsureSince: number | undefined;
  /** Where the present stretch began: with the sweep, or when the path was open again. */
  #stretch: Stretch;
  /** Chokes in a row, and the beginning of the stretch before the first. */
  #row = 0;
  #rowFrom: Stretch;
  /** Of the rate: what is sent at now, and where it rises to at most. */
  #share = 1;
  #shareBefore = 1;
  #risenAt = 0;
  #ceiling = 1;
  #chokes = 0;
  #lowest = 1;
  #isLost = false;

  readonly #rate: number;

  /** @param rate packets a second that the plan names */
  constructor(now: number, rate: number) {
    this.#at = now;
    this.#rate = rate;
    this.#stretch = { at: now, packets: 0 };
    this.#rowFrom = this.#stretch;
  }

  /**
   * An open port of the web: what listens there bears a connection that is closed at once. While there is none a port that refuses connections is better than
   * nothing (`isSpare`): the answer may be that of a firewall before the table that is full. The first of the web takes their place.
   */
  offer(endpoint: number, network: number | bigint, isSpare = false): void {
    if (isSpare && this.#canaries.some((one) => !one.isSpare)) return;
    if (!isSpare) this.#canaries = this.#canaries.filter((one) => !one.isSpare || one === this.#asking);
    if (this.#canaries.length >= MOST_CANARIES || this.#canaries.some((one) => one.endpoint === endpoint)) return;
    if (this.#canaries.filter((one) => one.network === network).length >= PER_NETWORK) return;
    this.#canaries.push({ endpoint, network, isSpare, strikes: 0, lastAt: -Infinity });
  }

  get endpoints(): readonly number[] {
    return this.#canaries.map(({ endpoint }) => endpoint);
  }
  /** Those that refuse connections. */
  get spares(): readonly number[] {
    return this.#canaries.filter(({ isSpare }) => isSpare).map(({ endpoint }) => endpoint);
  }
  /** One did not answer of late, and it is not known yet what that means. */
  get isDoubtful(): boolean {
    return !this.isChoked && !this.#isLost && this.#last.includes(false);
  }
  get isAsking(): boolean {
    return this.#asking !== undefined;
  }
  /** Nothing new may be sent: it would not arrive. */
  get isChoked(): boolean {
    return this.#chokedAt !== undefined;
  }
  /** One has just not answered: nothing is sent until another has told, or nobody could be asked for a while. */
  isUnsure(now: number): boolean {
    return this.#unsureSince !== undefined && this.isAble && now - this.#unsureSince < UNSURE_MS;
  }
  /** Of the rate that the plan names, what the path has borne. */
  get share(): number {
    return this.#share;
  }
  get chokes(): number {
    return this.#chokes;
  }
  get lowestShare(): number {
    return Math.min(this.#lowest, this.#share);
  }
  /** The path was given up: what it dropped is not known any more. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** When the last canary answered. */
  get goodAt(): number {
    return this.#good.at(-1) ?? this.#since;
  }

  /** Continues at the share that a journal holds. */
  resume(share: number): void {
    this.#share = share;
    this.#ceiling = share;
  }

  /** There is somebody to ask, and it would change something. */
  get isAble(): boolean {
    return this.#canaries.length > 0 && !this.#isLost;
  }

  /** Too much was sent since the last good canary for a pass to end. */
  isUnwatched(packets: number): boolean {
    return this.isAble && packets - this.#packetsAtGood >= MOST_UNWATCHED;
  }

  /** The canary to be asked now, if any: of those that are free the one that has answered best and was asked longest ago, in another network if there is one. */
  next(now: number, { isFree, hurry }: { isFree: (endpoint: number) => boolean; hurry: boolean }): number | undefined {
    if (
      this.#asking !== undefined ||
      this.#isLost ||
      (now < this.#at + this.#pauseMs && !(hurry && this.#last.at(-1) !== false && !this.isChoked))
    )
      return undefined;
    const [canary] = this.#canaries
      .filter(({ endpoint }) => isFree(endpoint))
      .toSorted(
        (a, b) => a.strikes - b.strikes || Number(a.network === this.#network) - Number(b.network === this.#network) || a.lastAt - b.lastAt,
      );
    if (canary === undefined) return undefined;
    canary.lastAt = now;
    this.#network = canary.network;
    this.#asking = canary;
    return canary.endpoint;
  }

  /** The canary could not be asked, for a reason of this machine. */
  notAsked(now: number): void {
    this.#asking = undefined;
    this.#at = now;
  }

  /** What became of the canary that was asked. @param packets that had left in all when it was */
  result(answered: boolean, packets: number, now: number): Verdict {
    const canary = this.#asking;
    this.#asking = undefined;
    if (canary !== undefined) canary.strikes = answered ? 0 : canary.strikes + 1;
    this.#last = [...this.#last, answered].slice(-LOOK_BACK);
    this.#at = now;
    return answered ? this.#onAnswer(packets, now) : this.#onSilence(now);
  }

  /** Something else that was found open does not answer any more. */
  doubt(now: number): Verdict {
    if (this.isChoked || this.#isLost || this.#canaries.length === 0) return 'missed';
    this.#last = [...this.#last, false].slice(-LOOK_BACK);
    return this.#onSilence(now);
  }

  /** `performance.now()` since which what was asked and has not answered may have been dropped; what is older is known to have got through. */
  suspectSince(now: number): number {
    const last = this.#good.at(-1);
    if (last === undefined) return this.#since;
    const from = this.#good.length < GOOD_BEFORE ? this.#since : (this.#good[0] ?? this.#since);
    return Math.min(last, Math.max(from, now - BACK_MS));
  }

  #onAnswer(packets: number, now: number): Verdict {
    this.#unsureSince = undefined;
    const lastGood = this.#packetsAtGood;
    this.#good = [...this.#good, now].slice(-GOOD_BEFORE);
    this.#packetsAtGood = packets;
    if (this.#chokedAt !== undefined) {
      this.#chokedAt = undefined;
      this.#last = [];
      this.#good = [];
      this.#since = now;
      this.#risenAt = now;
      this.#fitTo({ lastGood, packets }, now);
      return 'through';
    }
    const seconds = (now - this.#risenAt) / 1000;
    this.#risenAt = now;
    this.#ceiling = Math.min(1, this.#ceiling * (1 + FORGET) ** seconds);
    this.#share = Math.min(this.#ceiling, this.#share * (1 + RISE) ** seconds);
    return 'good';
  }

  #onSilence(now: number): Verdict {
    if (this.#chokedAt === undefined) {
      if (this.#last.filter((answered) => !answered).length < 2) {
        this.#unsureSince = now;
        return 'missed';
      }
      this.#unsureSince = undefined;
      if (this.#row === 0 || now - this.#stretch.at >= HELD_OUT_MS) {
        this.#row = 0;
        this.#rowFrom = this.#stretch;
      }
      this.#row += 1;
      this.#chokes += 1;
      this.#chokedAt = now;
      this.#ceiling = this.#share * LESS;
      this.#shareBefore = this.#share;
      this.#share /= 2;
      if (this.#row < MOST_CHOKES) return 'choked';
    } else if (now - this.#chokedAt < GIVE_UP_MS) return 'missed';
    this.#chokedAt = undefined;
    this.#isLost = true;
    return 'lost';
  }

  /**
   * A table forgets as fast as it was filled, one lifetime of an entry later: so what it took since it was empty, by the time until it takes more, is what it
   * bears a second. It was empty when the first of the chokes in a row began to build up; later ones may begin with a table that is half full. How much it took
   * lies between what had left at the last good canary, and at the end.
   */
  #fitTo({ lastGood, packets }: { lastGood: number; packets: number }, now: number): void {
    const borneSince = ({ at, packets: before }: Stretch): number =>
      ((Math.max(before, lastGood) + packets) / 2 - before) / ((now - at) / 1000) / this.#rate;
    const borne = Math.max(borneSince(this.#stretch), borneSince(this.#rowFrom));
    // Where the path seems to have borne more than was sent, something else fills it: half as much then.
    if (borne * CAUTION < this.#shareBefore) this.#share = Math.min(borne * CAUTION, this.#shareBefore * LESS);
    this.#ceiling = Math.max(this.#share, Math.min(this.#ceiling, borne * MOST_OF_BORNE));
    this.#lowest = Math.min(this.#lowest, this.#share);
    this.#stretch = { at: now, packets };
  }

  get #pauseMs(): number {
    if (this.isChoked) return CHOKED_MS;
    const count = Math.max(1, this.#canaries.length);
    const usual =
      this.#chokes === 0 ? Math.max(LEAST_MS, EACH_MS / count) : Math.min(WARY_MOST_MS, Math.max(WARY_LEAST_MS, WARY_EACH_MS / count));
    if (this.#unsureSince !== undefined && count > 1) return 0;
    return this.#last.includes(false) ? Math.min(DOUBT_MS, usual) : usual;
  }
}
