import { probes, type SnmpHello } from '../probes/index.ts';
import type { SnmpCredential, SnmpCredentials } from '../sweep/snmp/credentials.ts';
import type { UdpTalk } from '../sweep/udp-talk.ts';
import { count } from '../text.ts';
import type { Talk } from './talk.ts';

/**
 * Reads what the agent says of the device, with the credential that it takes: a community that it has answered to, else the users one after the other, each
 * tried once. Each attempt is a row, so that it is known what was refused.
 */
export async function readSnmp(talk: Talk, udp: UdpTalk, credentials: SnmpCredentials, hello: SnmpHello): Promise<void> {
  const { communities, users } = credentials;
  const community = hello.taken(udp.answers);
  const isVersion3 = talk.facts['snmp.engine.id'] !== undefined;
  const tried: readonly SnmpCredential[] = community !== undefined ? [community] : isVersion3 ? users : [];
  if (tried.length === 0) {
    const note =
      communities.length > 0
        ? `did not answer to the ${count(communities.length, 'community', 'communities')} given`
        : 'speaks no SNMPv3: there is no community to ask it with';
    talk.write('snmp-read', { outcome: 'silent', facts: {}, note, at: new Date().toISOString(), ms: 0 });
  }
  for (const [at, credential] of tried.entries()) {
    const attempt = await talk.attempt(() =>
      talk.device.readSnmp(talk.plan.port, credential, { deadline: talk.deadline, onSend: udp.onSend }, (agent) =>
        probes.snmpRead.talk(agent, talk.facts),
      ),
    );
    const facts = attempt.value ?? attempt.facts;
    const note =
      attempt.note === undefined || credential.version !== 3 ? attempt.note : `user ${at + 1} of ${users.length}: ${attempt.note}`;
    talk.write('snmp-read', { ...attempt, ...(note === undefined ? {} : { note }) }, facts);
    if (attempt.outcome === 'answered' || Object.keys(facts).length > 0) return;
  }
}
