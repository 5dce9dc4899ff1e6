/** The simulated fleet: devices on loopback that answer what real ones answer, for `kvmsweep demo` and for the tests. */
export type { Load, Received } from './connections.ts';
export { DEMO_TARGETS, demoApproved, demoPlacements, type DemoTruth, demoTruth } from './demo.ts';
export {
  type Fleet,
  FLEET_PORTS,
  type FleetHost,
  type FleetOptions,
  type FleetPorts,
  type Placement,
  portsOption,
  startFleet,
} from './fleet.ts';
export { loadPersonas, type Persona, readPersona, readPersonas, type Role, type Truth } from './persona.ts';
