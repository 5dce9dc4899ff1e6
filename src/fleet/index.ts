/** The simulated fleet: devices on loopback that answer what real ones answer, for `kvmsweep demo` and for the tests. */
export type { Load, Received } from './connections.ts';
export { DEMO_TARGETS, demoApproved, demoPlacements, type DemoTruth, demoTruth } from './demo.ts';
export { type Fleet, type FleetHost, type FleetOptions, type Placement, startFleet } from './fleet.ts';
export { loadPersonas, type Persona, readPersona, readPersonas, type Truth } from './persona.ts';
export { FLEET_PORTS, type FleetPorts, portsFrom, portsOption, type Role } from './roles.ts';
