import type { Device } from '../devices/device.ts';
import { CLASS_SEVERITY, type DeviceClass, type Posture, SEVERITIES, type Severity, type State } from '../vocabulary.ts';

/** Who reaches such a device over the network is in: no login stands in the way. */
const OPEN_TO_ANYONE: ReadonlySet<Posture> = new Set([
  'vnc-no-authentication',
  'ipmi-anonymous-login',
  'ipmi-no-authentication',
  'open-without-login',
  'not-set-up',
]);

export function risksOf({ posture }: Pick<Device, 'posture'>): Posture[] {
  return posture.filter((one) => OPEN_TO_ANYONE.has(one));
}

/** States in which nothing is to be done at once, whatever the device is. */
export const INFORMATION: ReadonlySet<State> = new Set<State>(['approved-present', 'not-checked', 'ignored']);

/** States of devices that nobody approved where they are: what lets in anyone weighs a step more there. */
const NOT_APPROVED_THERE: ReadonlySet<State> = new Set<State>(['impostor', 'unapproved', 'wrong-network']);

/**
 * Approved, excused and unknown is for information; the rest weighs what its class does, and more where it poses as another, or lets in anyone where nobody approved it.
 * @param approved the class that the record names: where something lesser answers in a device's place, it is the device that is in question
 */
export function severityOf(state: State, device: Pick<Device, 'class' | 'posture'>, approved: DeviceClass = device.class): Severity {
  if (INFORMATION.has(state)) return 'info';
  const steps = (state === 'impostor' ? 1 : 0) + (NOT_APPROVED_THERE.has(state) && risksOf(device).length > 0 ? 1 : 0);
  const weight = Math.min(...[device.class, approved].map((kind) => SEVERITIES.indexOf(CLASS_SEVERITY[kind])));
  return SEVERITIES[Math.max(0, weight - steps)] ?? 'critical';
}

/** Whether somebody should look at a finding. */
export function isPressing({ state }: { readonly state: State }): boolean {
  return !INFORMATION.has(state);
}
