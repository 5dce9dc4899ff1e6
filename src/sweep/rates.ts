/** Packets a second: by default what even a small firewall's state table bears. */
export const RATES = { polite: 100, normal: 2000, fast: 10_000 } as const;
export const RATE_PER_24 = 1000;
