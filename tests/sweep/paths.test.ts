import fc from 'fast-check';
import { expect, test } from 'vitest';
import { problemText } from '../../src/errors.ts';
import { AllowedPaths, iconPath, loadPathRules, NEVER_ASKED, refusePath } from '../../src/sweep/paths.ts';

const paths = AllowedPaths.load();

test('every listed path is plain, is not one that is never asked, and says why and where that is written', () => {
  const rules = loadPathRules();
  expect(rules.length).toBeGreaterThan(40);
  expect(new Set(rules.map(({ path }) => path)).size).toBe(rules.length);
  for (const rule of rules) {
    expect(refusePath(rule.path), rule.path).toBeUndefined();
    expect(paths.refusal(rule.path), rule.path).toBeUndefined();
    expect(rule.why.length * rule.product.length * rule.source.length, rule.path).toBeGreaterThan(0);
    expect(['page', 'follow', 'landing']).toContain(rule.kind);
  }
});

test.for([
  ['/api/init/init?username=a&password=b', /never sent.*admin password of a GLKVM/],
  ['/api/init/init', /never sent/],
  ['/PSBlock', /password file/],
  ['/xmldata?item=CpqKey', /licence key/],
  ['/snapshot', /screen/],
  ['/video/stream', /screen/],
  ['/cgi-bin/reboot.cgi', /changes something/],
  ['/login?user=a', /credential/],
  ['/anything', /not in the list/],
  ['/redfish/v1/Systems', /not in the list/],
  ['//evil', /not in the list/],
] as const)('GET %s is refused', ([path, reason]) => expect(problemText(paths.refusal(path) as never)).toMatch(reason));

test.for([
  ['/login', '/login'],
  ['/login?next=%2Fadmin', '/login'],
  ['/a/../login', '/login'],
  ['/%6cogin', '/login'],
  ['/login#top', '/login'],
  ['/./login.html', '/login.html'],
  ['/xmldata?item=all', '/xmldata?item=all'],
  ['/xmldata?item=CpqKey', undefined],
  ['/api/init/init?username=a&password=b', undefined],
  ['/login%2f..%2fapi', undefined],
  ['/login\\..', undefined],
  ['/log\u0000in', undefined],
  ['//login', undefined],
  ['/unknown', undefined],
  ['login', undefined],
] as const)('a redirect to %j leads to %j', ([location, path]) => expect(paths.landing(location)).toBe(path));

test.for([
  ['/favicon.ico', '/favicon.ico'],
  ['/static/img/logo.PNG?v=3', '/static/img/logo.PNG'],
  ['/sipeed.ico', '/sipeed.ico'],
  ['/a/../b.svg', '/b.svg'],
  ['/photo.jpg', undefined],
  ['/snapshot.png', undefined],
  ['/cgi-bin/x.png', undefined],
  ['/api/init/init?x=.png', undefined],
  ['/reboot.png', undefined],
  [`/${'a'.repeat(200)}.ico`, undefined],
  ['/a b.ico', undefined],
] as const)('an icon named %j is asked as %j', ([named, path]) => expect(iconPath(named)).toBe(path));

test.for([
  ['/rootDesc.xml', '/rootDesc.xml'],
  ['/upnp/BasicDevice.XML', '/upnp/BasicDevice.XML'],
  ['/a/../desc.xml#top', '/desc.xml'],
  ['/xmldata?item=all', '/xmldata?item=all'],
  ['/desc.xml?a=1', undefined],
  ['/desc.json', undefined],
  ['/setup.xml', undefined],
  ['/cgi-bin/desc.xml', undefined],
  ['/api/init/init?x=.xml', undefined],
  ['/snapshot/x.xml', undefined],
  [`/${'a'.repeat(200)}.xml`, undefined],
  ['/a b.xml', undefined],
  ['//desc.xml', undefined],
  ['desc.xml', undefined],
] as const)('a description at %j is asked as %j', ([named, path]) => expect(paths.description(named)).toBe(path));

test('whatever a device names, only listed text goes out', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.webPath(),
        fc.string().map((text) => `/${text}`),
        fc.constantFrom(...loadPathRules().map(({ path }) => `${path}?x=1`)),
      ),
      (location) => {
        const path = paths.landing(location);
        if (path !== undefined) expect(paths.has(path)).toBe(true);
        const icon = iconPath(location);
        const description = paths.description(location);
        if (description !== undefined && !paths.has(description)) expect(description).toMatch(/^\/[A-Za-z0-9._~/-]+\.xml$/i);
        if (icon !== undefined) expect(icon).toMatch(/^\/[A-Za-z0-9._~/-]+\.(ico|png|svg|gif)$/i);
      },
    ),
  );
});

test('--allow-path adds a plain path and nothing that is never asked', () => {
  expect(new AllowedPaths([], ['/own/info.json']).refusal('/own/info.json')).toBeUndefined();
  expect(refusePath('/own/../x')).toMatch(/begins with/);
  expect(refusePath('/snapshot')).toMatch(/screen/);
  expect(refusePath('own')).toBeDefined();
  expect(NEVER_ASKED.every(({ why }) => why.length > 10)).toBe(true);
});
