#!/usr/bin/env node
// Plain JavaScript on purpose: an old Node.js must be able to parse this file to say why it is too old.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(
    'kvmsweep: needs Node.js 24.15 or newer, but this is ' +
      process.version +
      ' (' +
      process.execPath +
      ').\n' +
      'In a checkout, `npm ci` installs a suitable one: run `npm run kvmsweep -- --help`.\n',
  );
  process.exitCode = 2;
} else {
  void import('../dist/cli/main.js').then((cli) => cli.main(process.argv));
}
