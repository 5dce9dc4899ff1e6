import { MESSAGES } from '../sweep/messages.ts';
import { loadOidRules } from '../sweep/snmp/oids.ts';
import { loadPathRules, NEVER_ASKED } from '../sweep/paths.ts';

/** Everything that the tool can send, for whoever has to approve its use. */
export function wireText(clientHellos: readonly { readonly name: string; readonly bytes: Buffer }[]): string {
  const lines: string[] = [
    'Everything that kvmsweep can send. TCP connections are opened and closed by the system; above them, and over UDP, there is only this.',
    '',
  ];
  for (const { name, transport, protocol, group, template, text, varies, credential, why, source } of MESSAGES)
    lines.push(
      `${name}  (${transport}, ${protocol}${credential === true ? '; only where the operator gave a credential' : ''})`,
      ...(template === undefined ? [`  ${text}`] : wrapHex(template)),
      ...(varies === undefined
        ? []
        : [`  varies: ${varies} (shown as ${template?.includes('hh') === true ? 'hh: a hex digit as text' : '..'})`]),
      ...(group === undefined
        ? []
        : [`  to:     ${group}, on directly attached networks that hold targets, where every address of them may be asked`]),
      `  why:    ${why}`,
      `  source: ${source}`,
      '',
    );
  lines.push(
    'Paths that GET may ask for, exactly so (page: of every web endpoint; follow: where a product is likely; landing: where a redirect of the same address leads):',
    '',
  );
  for (const { path, kind, product, why } of loadPathRules()) lines.push(`  ${kind.padEnd(8)}${path}`, `          ${product}: ${why}`);
  lines.push(
    '  icon    the icon that a page names on the same address: a plain path that ends in .ico .png .svg or .gif, without its query',
    '  description  what an SSDP answer names on the same address, at any port that is no serial line: a plain path that ends in .xml, without a query, or a listed one',
    '',
  );
  lines.push(
    'Objects that an SNMP GET may ask for, exactly so, and only with a credential that the operator gave (any: of every agent; else of those whose sysObjectID begins so):',
    '',
    ...loadOidRules().map(({ oid, when, means, source }) => `  ${oid}\n          ${when}: ${means} (${source})`),
    '',
  );
  lines.push(
    'Never asked for, whatever list or option names it:',
    '',
    ...NEVER_ASKED.map(({ pattern, why }) => `  ${pattern.source}\n          ${why}`),
    '',
  );
  lines.push('The hello of a TLS handshake, as the library makes it now (random, key share and session bytes differ each time):', '');
  for (const { name, bytes } of clientHellos) lines.push(`${name}, ${bytes.length} bytes`, ...wrapHex(bytes.toString('hex')), '');
  return `${lines.join('\n')}\n`;
}

function wrapHex(hex: string): string[] {
  const pairs = hex.match(/../g) ?? [];
  const rows: string[] = [];
  for (let i = 0; i < pairs.length; i += 32) rows.push(`  ${pairs.slice(i, i + 32).join(' ')}`);
  return rows;
}
