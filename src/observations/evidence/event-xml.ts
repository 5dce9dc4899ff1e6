import { SaxesParser } from 'saxes';
import { type Problem, problem } from '../../errors.ts';
import type { EvidenceRecord } from './record.ts';

/**
 * The events of an event log of Windows as XML (Microsoft, Event Schema): EventID, Computer, TimeCreated and the data by their names. Events may stand
 * one after the other, without a root. What stands behind a damage is reported, and left out.
 */
export function readEvents(file: string, text: string, report: (one: Problem) => void): EvidenceRecord[] {
  const records: EvidenceRecord[] = [];
  let fields = new Map<string, string>();
  let line = 1;
  /** What the text is of that comes next. */
  let name: string | undefined;
  let isDamaged = false;
  const parser = new SaxesParser<{ xmlns: false; fragment: true }>({ xmlns: false, fragment: true });
  parser.on('opentag', (tag) => {
    if (tag.name === 'Event') [fields, line] = [new Map(), parser.line];
    if (tag.name === 'TimeCreated') fields.set('TimeCreated', tag.attributes['SystemTime'] ?? '');
    name = tag.name === 'Data' ? tag.attributes['Name'] : tag.name === 'EventID' || tag.name === 'Computer' ? tag.name : undefined;
  });
  parser.on('text', (found) => {
    if (name !== undefined) fields.set(name, `${fields.get(name) ?? ''}${found}`);
  });
  parser.on('closetag', (tag) => {
    name = undefined;
    if (tag.name === 'Event' && !isDamaged) records.push({ place: { file, line }, fields: Object.fromEntries(fields) });
  });
  parser.on('error', ({ message }) => {
    const reason = `it is damaged XML (${message.replace(/^\d+:\d+: /, '').slice(0, 120)}); what follows is left out`;
    if (!isDamaged) report(problem('bad-evidence', { reason }, { file, line: parser.line }));
    isDamaged = true;
  });
  // In a fragment the parser takes a declaration for an instruction that must not be.
  parser.write(text.replace(/^\s*<\?xml[^>]*\?>/, '')).close();
  return records;
}
