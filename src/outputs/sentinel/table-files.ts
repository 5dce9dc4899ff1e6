import { armTemplate, type ArmValue } from './arm.ts';
import type { Column, SentinelTable } from './columns.ts';

/** The type of a column where a table is made (tables API), and where a stream is declared (data collection rule). */
const TYPES: Readonly<Record<Column['type'], { readonly table: string; readonly stream: string }>> = {
  string: { table: 'string', stream: 'string' },
  list: { table: 'string', stream: 'string' },
  date: { table: 'string', stream: 'string' },
  int: { table: 'int', stream: 'int' },
  boolean: { table: 'boolean', stream: 'boolean' },
  datetime: { table: 'dateTime', stream: 'datetime' },
  dynamic: { table: 'dynamic', stream: 'dynamic' },
};

/** The body that makes the table: PUT …/tables/KvmSweepDevices_CL. */
export function tableBody({ name, description, columns }: SentinelTable): ArmValue {
  return {
    properties: {
      schema: {
        name,
        description,
        columns: columns.map(({ name: column, type, holds }) => ({ name: column, type: TYPES[type].table, description: holds })),
      },
    },
  };
}

/** The data collection rule that takes the records: of kind Direct, so that it has an endpoint of its own. */
export function ruleTemplate({ stream, outputStream, columns }: SentinelTable): ArmValue {
  return armTemplate({
    parameters: {
      workspaceName: { type: 'string' },
      // Of the workspace: a rule elsewhere cannot write to it.
      location: { type: 'string' },
      ruleName: { type: 'string', defaultValue: 'kvmsweep' },
    },
    resources: [
      {
        type: 'Microsoft.Insights/dataCollectionRules',
        apiVersion: '2023-03-11',
        name: "[parameters('ruleName')]",
        location: "[parameters('location')]",
        kind: 'Direct',
        properties: {
          streamDeclarations: { [stream]: { columns: columns.map(({ name, type }) => ({ name, type: TYPES[type].stream })) } },
          destinations: {
            logAnalytics: [
              {
                workspaceResourceId: "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))]",
                name: 'workspace',
              },
            ],
          },
          dataFlows: [{ streams: [stream], destinations: ['workspace'], transformKql: 'source', outputStream }],
        },
      },
    ],
    outputs: {
      ruleId: { type: 'string', value: "[resourceId('Microsoft.Insights/dataCollectionRules', parameters('ruleName'))]" },
      immutableId: {
        type: 'string',
        value: "[reference(resourceId('Microsoft.Insights/dataCollectionRules', parameters('ruleName'))).immutableId]",
      },
      endpoint: {
        type: 'string',
        value: "[reference(resourceId('Microsoft.Insights/dataCollectionRules', parameters('ruleName'))).endpoints.logsIngestion]",
      },
    },
  });
}
