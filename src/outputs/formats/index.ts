import { csv } from './csv.ts';
import type { TextFormat } from './format.ts';
import { glpi } from './glpi.ts';
import { ndjson } from './ndjson.ts';
import { nmapXml } from './nmap-xml.ts';
import { ocsf } from './ocsf.ts';
import { prometheus } from './prometheus.ts';
import { servicenow } from './servicenow.ts';
import { splunk } from './splunk.ts';

/** Every form that is one text, by the name that `export --to` gives it. */
export const TEXT_FORMATS: readonly TextFormat[] = [csv, ndjson, nmapXml, ocsf, splunk, servicenow, glpi, prometheus];
