import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ouiText } from '../scripts/oui.ts';
import { dataPath } from '../src/data.ts';
import { makerOf } from '../src/oui.ts';

test.for([
  ['a block of 24 bits', 'B8:27:EB:12:34:56', 'Raspberry Pi Foundation'],
  ['a block of 28 bits, in a block of 24 that names nobody', '04:C9:8B:12:34:56', 'TinyPilot, LLC'],
  ['another of 28 bits', '48:DA:35:6F:39:D0', 'Shenzhen Sipeed Technology Co., Ltd'],
  ['its neighbour of 28 bits', '48:DA:35:7F:39:D0', 'ERAESEEDS Co.,Ltd.'],
  ['a block that the IEEE divides, in a part that nobody has', '70:B3:D5:FF:FF:FF', undefined],
  ['a block of 36 bits', '70:B3:D5:24:8F:FF', 'GL TECH CO.,LTD'],
  ['Dell', 'D0:8E:79:00:00:01', 'Dell Inc.'],
  ['an address that was made up locally', '02:42:AC:11:00:02', undefined],
  ['lower case', '00:0d:5d:01:02:03', 'Raritan Computer, Inc'],
  ['no MAC', '00:0D:5D', undefined],
] as const)('the maker of %s', ([, mac, maker]) => expect(makerOf(mac)).toBe(maker));

test('the list is the one that its script makes', () => {
  expect(readFileSync(dataPath('oui.tsv'), 'utf8')).toBe(ouiText());
});
