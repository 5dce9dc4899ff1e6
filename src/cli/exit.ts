/** Exit codes. Where several hold: interrupted, usage, findings, incomplete; incompleteness is always printed. */
export const EXIT = { done: 0, findings: 1, usage: 2, incomplete: 3, interrupted: 130 } as const;

/** The code of a run that ended without an error. */
export function exitCode({
  interrupted = false,
  findings = false,
  incomplete = false,
}: {
  interrupted?: boolean;
  findings?: boolean;
  incomplete?: boolean;
}): number {
  if (interrupted) return EXIT.interrupted;
  if (findings) return EXIT.findings;
  return incomplete ? EXIT.incomplete : EXIT.done;
}
