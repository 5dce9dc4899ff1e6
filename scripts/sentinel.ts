// Writes data/sentinel/azuredeploy.json: the rules, the hunting queries and the workbook as one ARM template, which `az deployment group create`, the
// portal and Sentinel's repositories take. `npm run -s sentinel`; a test fails where the template is not what this makes.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { count } from '../src/text.ts';

const ROOT = fileURLToPath(new URL('../data/sentinel/', import.meta.url));
export const TEMPLATE = `${ROOT}azuredeploy.json`;

/** What a rule and a hunting query have in common: the YAML of the Azure-Sentinel repository. */
interface Hunt {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tactics: readonly string[];
  readonly relevantTechniques: readonly string[];
  readonly query: string;
}
interface Rule extends Hunt {
  readonly version: string;
  readonly kind: string;
  readonly severity: string;
  readonly queryFrequency: string;
  readonly queryPeriod: string;
  readonly triggerOperator: keyof typeof OPERATORS;
  readonly triggerThreshold: number;
  readonly entityMappings: unknown;
  readonly customDetails: unknown;
  readonly alertDetailsOverride?: unknown;
  readonly eventGroupingSettings: unknown;
  readonly incidentConfiguration?: unknown;
}

const OPERATORS = { gt: 'GreaterThan', lt: 'LessThan', eq: 'Equal', ne: 'NotEqual' } as const;
/** Resource types: learn.microsoft.com/azure/templates/microsoft.securityinsights/alertrules, …operationalinsights/workspaces/savedsearches, …insights/workbooks. */
const API = { rule: '2025-09-01', hunt: '2020-08-01', workbook: '2022-04-01' } as const;
const WORKBOOK_ID = '4d0c2f6e-2c7d-4f0f-8c55-3a7f1f6f9a21';
const WORKSPACE_ID = "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspace'))]";

/** The template as text, deterministic. */
export function template(): string {
  const resources = [
    ...filesIn('rules').map((file) => ruleResource(yaml(`rules/${file}`) as Rule)),
    ...filesIn('hunting').map((file) => huntResource(yaml(`hunting/${file}`) as Hunt)),
    workbookResource(),
  ];
  return `${JSON.stringify(
    {
      $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
      contentVersion: '1.0.0.0',
      parameters: {
        // The name that Sentinel's repositories fill in by themselves.
        workspace: { type: 'string', metadata: { description: 'Log Analytics workspace that Microsoft Sentinel runs on' } },
        enabled: { type: 'bool', defaultValue: true, metadata: { description: 'Whether the rules run at once' } },
        location: { type: 'string', defaultValue: '[resourceGroup().location]', metadata: { description: 'Where the workbook is kept' } },
      },
      resources,
    },
    undefined,
    2,
  )}\n`;
}

function ruleResource(rule: Rule): object {
  return {
    type: 'Microsoft.OperationalInsights/workspaces/providers/alertRules',
    apiVersion: API.rule,
    name: `[concat(parameters('workspace'), '/Microsoft.SecurityInsights/${rule.id}')]`,
    kind: rule.kind,
    properties: {
      displayName: rule.name,
      description: oneLine(rule.description),
      severity: rule.severity,
      enabled: "[parameters('enabled')]",
      query: rule.query,
      queryFrequency: isoDuration(rule.queryFrequency),
      queryPeriod: isoDuration(rule.queryPeriod),
      triggerOperator: OPERATORS[rule.triggerOperator],
      triggerThreshold: rule.triggerThreshold,
      suppressionDuration: 'PT1H',
      suppressionEnabled: false,
      tactics: rule.tactics,
      techniques: rule.relevantTechniques,
      entityMappings: rule.entityMappings,
      customDetails: rule.customDetails,
      ...(rule.alertDetailsOverride === undefined ? {} : { alertDetailsOverride: rule.alertDetailsOverride }),
      eventGroupingSettings: rule.eventGroupingSettings,
      ...(rule.incidentConfiguration === undefined ? {} : { incidentConfiguration: rule.incidentConfiguration }),
    },
  };
}

function huntResource(hunt: Hunt): object {
  return {
    type: 'Microsoft.OperationalInsights/workspaces/savedSearches',
    apiVersion: API.hunt,
    name: `[concat(parameters('workspace'), '/${hunt.id}')]`,
    etag: '*', // write over what is there
    properties: {
      category: 'Hunting Queries',
      displayName: hunt.name,
      query: hunt.query,
      version: 2,
      tags: [
        { name: 'description', value: oneLine(hunt.description) },
        { name: 'tactics', value: hunt.tactics.join(',') },
        { name: 'techniques', value: hunt.relevantTechniques.join(',') },
      ],
    },
  };
}

function workbookResource(): object {
  return {
    type: 'Microsoft.Insights/workbooks',
    apiVersion: API.workbook,
    name: WORKBOOK_ID,
    location: "[parameters('location')]",
    kind: 'shared',
    properties: {
      displayName: 'Remote-access devices (kvmsweep)',
      category: 'sentinel',
      sourceId: WORKSPACE_ID,
      version: '1.0',
      serializedData: JSON.stringify(JSON.parse(readFileSync(`${ROOT}workbook.json`, 'utf8'))),
    },
  };
}

/** `90m`, `1h`, `14d` as ISO 8601. */
function isoDuration(text: string): string {
  const [amount, unit] = [text.slice(0, -1), text.slice(-1).toUpperCase()];
  return unit === 'D' ? `P${amount}D` : `PT${amount}${unit}`;
}

function oneLine(text: string): string {
  return text.trim().replaceAll('\n', ' ');
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(ROOT + folder).toSorted();
}

function yaml(file: string): unknown {
  return parse(readFileSync(ROOT + file, 'utf8'));
}

if (import.meta.main) {
  writeFileSync(TEMPLATE, template());
  const { resources } = JSON.parse(template()) as { resources: unknown[] };
  console.log(`${TEMPLATE}: ${count(resources.length, 'resource')}`);
}
