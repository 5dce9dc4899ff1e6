import type { Inventory } from '../../inventory/schema.ts';
import { count } from '../../text.ts';
import type { SentinelTable } from './columns.ts';
import { LIMITS } from './limits.ts';
import type { BundleFile, BundleList } from './watchlist-files.ts';

const DAYS_A_MONTH = 30;

interface Told {
  readonly lists: readonly BundleList[];
  readonly table: SentinelTable;
  readonly tableFiles: Readonly<Record<'body' | 'rule', BundleFile>>;
  /** Files of records, in the order of sending. */
  readonly records: readonly string[];
  readonly notes: readonly string[];
  readonly inventory: Inventory;
  /** Items that the bundle writes and deletes, over all lists. */
  readonly changes: number;
}

/** What to do with the bundle: the commands as they are run, and how much of the service's allowance they take. */
export function readmeText(told: Told): string {
  return `${[title(told), counts(told), variables(), once(told), eachTime(told), whole(told), files(told), behaviour()].join('\n\n')}\n`;
}

function title({ inventory: { run, completeness }, notes }: Told): string {
  const sweep =
    run === undefined ? 'observations that come from no sweep' : `the sweep of ${run.endedAt ?? `${run.startedAt} (not ended)`}`;
  return [
    '# kvmsweep for Microsoft Sentinel',
    '',
    `Made of ${sweep}${completeness.complete ? '' : ', which is **not complete**: nothing is deleted'}.`,
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `- ${note}`)]),
  ].join('\n');
}

function counts({ lists, changes }: Told): string {
  const rows = lists.map(
    ({ watchlist: { alias }, items, changed, deleted }) => `| ${alias} | ${items.length} | ${changed.length} | ${deleted.length} |`,
  );
  const all = lists.reduce((sum, { items }) => sum + items.length, 0);
  return [
    '| watchlist | rows | to write | to delete |',
    '| --- | ---: | ---: | ---: |',
    ...rows,
    '',
    `**${changes.toLocaleString('en')} of the ${LIMITS.changesAMonth.toLocaleString('en')} changes a month** that a workspace may make to its watchlist items. ` +
      `Sweeps that change as much as this one: ${perDay(changes)}. Sweeps that change every row: ${perDay(all)}.`,
  ].join('\n');
}

function perDay(changes: number): string {
  return changes === 0
    ? 'any number of sweeps a day'
    : count(Math.floor(LIMITS.changesAMonth / DAYS_A_MONTH / changes), 'sweep a day', 'sweeps a day');
}

function variables(): string {
  return `## Before the first command

\`az login\` with the roles Microsoft Sentinel Contributor and Log Analytics Contributor on the workspace, and Monitoring Contributor on its resource
group. The commands are for a POSIX shell with [jq](https://jqlang.org/), such as that of Azure Cloud Shell, in this folder.

\`\`\`sh
SUBSCRIPTION=00000000-0000-0000-0000-000000000000
RESOURCE_GROUP=the-resource-group-of-the-workspace
WORKSPACE=the-workspace
\`\`\`

\`\`\`sh
WORKSPACE_URL="https://management.azure.com/subscriptions/$SUBSCRIPTION/resourceGroups/$RESOURCE_GROUP/providers/Microsoft.OperationalInsights/workspaces/$WORKSPACE"
LISTS="$WORKSPACE_URL/providers/Microsoft.SecurityInsights/watchlists"
VERSION="api-version=2025-09-01"
\`\`\``;
}

function once({ lists, table, tableFiles }: Told): string {
  return `## Once

The watchlists, without rows yet, and the table with the rule that takes its records:

\`\`\`sh
${lists.map(({ watchlist: { alias }, names: { empty } }) => `az rest --method put --url "$LISTS/${alias}?$VERSION" --body @${empty}`).join('\n')}
\`\`\`

\`\`\`sh
az rest --method put --url "$WORKSPACE_URL/tables/${table.name}?api-version=2025-07-01" --body @${tableFiles.body.name}
LOCATION=$(az monitor log-analytics workspace show --subscription "$SUBSCRIPTION" --resource-group "$RESOURCE_GROUP" --workspace-name "$WORKSPACE" --query location --output tsv)
az deployment group create --subscription "$SUBSCRIPTION" --resource-group "$RESOURCE_GROUP" --name kvmsweep-rule --template-file ${tableFiles.rule.name} --parameters workspaceName="$WORKSPACE" location="$LOCATION"
RULE_ID=$(az deployment group show --subscription "$SUBSCRIPTION" --resource-group "$RESOURCE_GROUP" --name kvmsweep-rule --query properties.outputs.ruleId.value --output tsv)
az role assignment create --assignee "$(az account show --query user.name --output tsv)" --role "Monitoring Metrics Publisher" --scope "$RULE_ID"
\`\`\`

Lists and table take a moment to be made: where a command says that they are not there, repeat it. The last one lets the account that is logged in send
records, which takes up to 30 minutes to work; it needs Owner or User Access Administrator.`;
}

function eachTime({ lists, table, records }: Told): string {
  return `## Each time

Rows that are new or have changed are written by their id, those that are gone are deleted; the rest is not touched. What fails may be run again: writing
a row twice changes nothing. \`az\` takes a second or two for each row.

\`\`\`sh
for list in ${lists.map(({ watchlist: { alias } }) => alias).join(' ')}; do
  while IFS= read -r item; do
    printf '%s' "$item" | jq --compact-output .body > item.body.json
    az rest --method put --url "$LISTS/$list/watchlistItems/$(printf '%s' "$item" | jq --raw-output .id)?$VERSION" --body @item.body.json --output none < /dev/null
  done < "$list.items.ndjson"
  while IFS= read -r item; do
    az rest --method delete --url "$LISTS/$list/watchlistItems/$(printf '%s' "$item" | jq --raw-output .id)?$VERSION" --output none < /dev/null
  done < "$list.deleted.ndjson"
done
rm -f item.body.json
\`\`\`

${
  records.length === 0
    ? 'The sweep saw no device, so there are no records to send.'
    : `The records of the sweep; sent twice, they stand in the table twice:

\`\`\`sh
ENDPOINT=$(az deployment group show --subscription "$SUBSCRIPTION" --resource-group "$RESOURCE_GROUP" --name kvmsweep-rule --query properties.outputs.endpoint.value --output tsv)
RULE=$(az deployment group show --subscription "$SUBSCRIPTION" --resource-group "$RESOURCE_GROUP" --name kvmsweep-rule --query properties.outputs.immutableId.value --output tsv)
${records.map((name) => `az rest --method post --resource https://monitor.azure.com --url "$ENDPOINT/dataCollectionRules/$RULE/streams/${table.stream}?api-version=2023-01-01" --headers Content-Type=application/json --body @${name}`).join('\n')}
\`\`\``
}

After some minutes \`_GetWatchlist('KvmDevices')\` shows the rows, and \`${table.name}\` the records (the first ones take up to 15 minutes).`;
}

function whole({ lists }: Told): string {
  return `## A whole list at once instead

For a look, or where no sweep follows. Sentinel gives such rows ids of its own, so the commands of "Each time" would write a second row beside each: delete
the list before you go over to them. The portal takes the CSV files (Watchlist, New; search key ${lists.map(({ watchlist: { alias, key } }) => `\`${key}\` for ${alias}`).join(', ')}).

\`\`\`sh
${lists.flatMap(({ watchlist: { alias }, names: { bodies } }) => bodies.map((name) => `az rest --method put --url "$LISTS/${alias}?$VERSION" --body @${name}`)).join('\n')}
\`\`\`

The same as templates, which also the portal ("Deploy a custom template") and pipelines take:

\`\`\`sh
${lists.flatMap(({ names: { templates } }) => templates.map((name) => `az deployment group create --subscription "$SUBSCRIPTION" --resource-group "$RESOURCE_GROUP" --name ${name.replace('.arm.json', '')} --template-file ${name} --parameters workspaceName="$WORKSPACE"`)).join('\n')}
\`\`\``;
}

function files({ lists, tableFiles, records }: Told): string {
  const all = (of: (names: BundleList['names']) => readonly string[]): string => lists.flatMap(({ names }) => of(names)).join(', ');
  const rows: readonly (readonly [string, string])[] = [
    [all(({ csv }) => csv), 'the whole list, for the portal'],
    [all(({ bodies }) => bodies), 'the whole list as a REST body'],
    [all(({ templates }) => templates), 'the whole list as an ARM template'],
    [all(({ empty }) => [empty]), 'the list without rows, as a REST body'],
    [all(({ items }) => [items]), 'new and changed rows: a line each, with its id and its REST body'],
    [all(({ deleted }) => [deleted]), 'ids of rows to delete'],
    [all(({ flat }) => [flat]), 'new and changed rows as flat objects: for a Logic App ("For each", "Add a new watchlist item")'],
    [`${tableFiles.body.name}, ${tableFiles.rule.name}`, 'the table, and the data collection rule (ARM)'],
    [records.join(', '), 'records of the sweep for the Logs Ingestion API'],
    ['state.json', 'what the bundles so far have told Sentinel; keep it (it stands elsewhere with `--state`)'],
  ];
  return [
    '## The files',
    '',
    '| file | what it is |',
    '| --- | --- |',
    ...rows.filter(([name]) => name !== '').map(([name, what]) => `| ${name} | ${what} |`),
  ].join('\n');
}

function behaviour(): string {
  return `## How it goes on

The next \`kvmsweep export --to sentinel\` into this folder writes what has changed since this one. It takes this bundle as applied: apply every bundle, in
order, or write all rows again with \`--full\`. Without state.json it begins anew, and knows of nothing to delete.

What one sweep misses (a certificate that could not be read, a port that did not answer, a device that was starting) changes nothing; what two complete
sweeps in a row asked for and did not see is gone. A sweep that is not complete deletes nothing.`;
}
