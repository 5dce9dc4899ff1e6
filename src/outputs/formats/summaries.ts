/** What `export --to` can write, by name, for the help: which should not wait for what writes it. */
export const SUMMARIES = {
  csv: 'a table for people: Excel, LibreOffice',
  ndjson: 'devices as they stand in the inventory, one a line',
  'nmap-xml': "nmap's XML, for ndiff and all that imports nmap",
  ocsf: 'OCSF 1.8.0 Device Inventory Info, an event a line: Amazon Security Lake, Splunk and other lakes',
  splunk: 'asset lookup of Splunk Enterprise Security (CSV); is_expected from --approved',
  servicenow: "body of ServiceNow's identifyreconcile: CIs created and updated without duplicates",
  glpi: "GLPI's native inventory, a JSON document for each device, one a line",
  prometheus: "metrics for the textfile collector of Prometheus' node_exporter",
  sentinel: 'a folder for Microsoft Sentinel: watchlists, tables and the lines that upload them',
} as const satisfies Record<string, string>;
