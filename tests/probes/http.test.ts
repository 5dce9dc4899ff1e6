import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ForbiddenError, problem, ProbeError } from '../../src/errors.ts';
import { faviconFacts } from '../../src/probes/favicon.ts';
import { http, speaksTls } from '../../src/probes/http.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { PlaybackSite, pageOf, type Reply, type SiteOptions } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const redirect = (location: string, status = 302): Reply => ({ status, headers: [['Location', location]] });
const image = (body: string, type = 'image/x-icon'): Reply => ({ headers: [['Content-Type', type]], body });
const ICO = '\0\0\x01\0\x01\0icon';

interface Case {
  readonly name: string;
  readonly site: Readonly<Record<string, Reply>>;
  readonly options?: SiteOptions;
  readonly as?: string;
  readonly facts: Facts;
  /** Facts that must not be there. */
  readonly without?: readonly string[];
  readonly asked: readonly string[];
}

const PAGE = '<title>Login</title>';

test.for<Case>([
  {
    name: 'a page',
    site: {
      '/': {
        headers: [
          ['Content-Type', 'Text/HTML; charset=utf-8'],
          ['Server', 'GoAhead-Webs'],
          ['X-A', '1'],
          ['x-a', '2'],
        ],
        body: '<title>Login</title><form><input name=user></form><script src=/app.js></script><meta name=generator content=x>',
      },
    },
    facts: {
      'http.status': 200,
      'http.type': 'text/html',
      'http.server': 'GoAhead-Webs',
      'http.title': 'Login',
      'http.generator': 'x',
      'http.forms': ['user'],
      'http.links': ['/app.js'],
      'http.headers': { 'content-type': 'Text/HTML; charset=utf-8', server: 'GoAhead-Webs', 'x-a': '1, 2' },
    },
    without: ['http.redirects', 'http.cookies', 'http.location', 'http.favicon.mmh3'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'a challenge',
    site: {
      '/': {
        status: 401,
        headers: [
          ['WWW-Authenticate', 'Digest qop="auth", realm="NetPing \\"8\\"/PWR-220", nonce="1"'],
          ['WWW-Authenticate', 'Basic realm=other'],
        ],
      },
    },
    facts: { 'http.status': 401, 'http.realm': 'NetPing "8"/PWR-220' },
    without: ['http.body', 'http.title'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'a realm without quotes',
    site: {
      '/': {
        status: 401,
        headers: [
          ['WWW-Authenticate', 'Negotiate'],
          ['WWW-Authenticate', 'Basic realm=APC'],
        ],
      },
    },
    facts: { 'http.realm': 'APC' },
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'cookies without their values',
    site: {
      '/': {
        headers: [
          ['Set-Cookie', 'langSetFlag=0; path=/; HttpOnly; SameSite=Strict; Expires=Wed, 04 Sep 2024'],
          ['set-cookie', 'sid=SECRET; Secure; data=SECRET'],
          ['Set-Cookie', 'SECRET'],
        ],
        body: PAGE,
      },
    },
    facts: {
      'http.cookies': ['langSetFlag', 'sid'],
      'http.headers': { 'set-cookie': 'langSetFlag=; path=/; HttpOnly; SameSite=Strict, sid=; Secure, =' },
    },
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'a redirect is followed',
    site: { '/': redirect('/login.html'), '/login.html': PAGE },
    facts: { 'http.status': 200, 'http.title': 'Login', 'http.redirects': [{ status: 302, location: '/login.html' }] },
    without: ['http.location'],
    asked: ['/', '/login.html', '/favicon.ico'],
  },
  {
    name: 'a redirect to another port of the address is followed',
    site: { '/': redirect('https://127.0.0.1/') },
    options: { others: [new PlaybackSite({ '/': PAGE, '/favicon.ico': image(ICO) }, { scheme: 'https' })] },
    facts: {
      'http.title': 'Login',
      'http.redirects': [{ status: 302, location: 'https://127.0.0.1/' }],
      ...faviconFacts(Buffer.from(ICO, 'latin1')),
    },
    asked: ['/'],
  },
  {
    name: 'a redirect to another host is recorded, not followed',
    site: { '/': { status: 301, headers: [['Location', 'http://192.0.2.99/']], body: '<title>Moved</title>' } },
    facts: {
      'http.status': 301,
      'http.location': 'http://192.0.2.99/',
      'http.title': 'Moved',
      'http.redirects': [{ status: 301, location: 'http://192.0.2.99/' }],
    },
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'a redirect to a path that is not on the list is recorded, not followed',
    site: { '/': redirect('/api/init/init') },
    facts: { 'http.status': 302, 'http.location': '/api/init/init', 'http.redirects': [{ status: 302, location: '/api/init/init' }] },
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'a redirect whose target does not come leaves the facts of the page that redirects',
    site: { '/': redirect('/login'), '/login': new ProbeError('cut-off', 'hung up') },
    facts: { 'http.status': 302, 'http.redirects': [{ status: 302, location: '/login' }] },
    asked: ['/', '/login', '/favicon.ico'],
  },
  {
    name: 'a loop ends',
    site: { '/': redirect('/login'), '/login': redirect('/') },
    facts: {
      'http.status': 302,
      'http.location': '/',
      'http.redirects': [
        { status: 302, location: '/login' },
        { status: 302, location: '/' },
      ],
    },
    asked: ['/', '/login', '/favicon.ico'],
  },
  {
    name: 'at most four redirects',
    site: {
      '/': redirect('/login', 301),
      '/login': redirect('/login.html', 303),
      '/login.html': redirect('/index.html', 307),
      '/index.html': redirect('/home', 308),
      '/home': redirect('/home.html'),
      '/home.html': PAGE,
    },
    facts: {
      'http.status': 302,
      'http.redirects': [301, 303, 307, 308, 302].map((status, i) => ({
        status,
        location: ['/login', '/login.html', '/index.html', '/home', '/home.html'][i] ?? '',
      })),
    },
    asked: ['/', '/login', '/login.html', '/index.html', '/home', '/favicon.ico'],
  },
  {
    name: 'a redirect without a place',
    site: { '/': { status: 302 } },
    facts: { 'http.status': 302 },
    without: ['http.redirects', 'http.location'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'a refresh is followed',
    site: { '/': '<meta http-equiv=refresh content="0;url=/login.htm">', '/login.htm': PAGE },
    facts: { 'http.title': 'Login', 'http.redirects': [{ status: 200, location: '/login.htm' }] },
    asked: ['/', '/login.htm', '/favicon.ico'],
  },
  {
    name: 'a Refresh header is followed',
    site: { '/': { headers: [['Refresh', '0; url=/login.htm']] }, '/login.htm': PAGE },
    facts: { 'http.title': 'Login' },
    asked: ['/', '/login.htm', '/favicon.ico'],
  },
  {
    name: 'a script that leads elsewhere is followed',
    site: { '/': '<body onload="top.location=\'/start.html\'">', '/start.html': PAGE },
    facts: { 'http.title': 'Login' },
    asked: ['/', '/start.html', '/favicon.ico'],
  },
  {
    name: 'a page that refreshes itself',
    site: { '/': '<meta http-equiv=refresh content="30; url=/"><title>x</title>' },
    facts: { 'http.title': 'x' },
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'the icon that the page names',
    site: { '/': '<link rel=icon href="img/../logo%2Eico?v=3">', '/logo.ico': image(ICO) },
    facts: faviconFacts(Buffer.from(ICO, 'latin1')),
    asked: ['/', '/logo.ico'],
  },
  {
    name: 'an icon relative to the page and its base',
    site: {
      '/': redirect('/restgui/start.html'),
      '/restgui/start.html': '<base href="/restgui/images/"><link rel=icon href=favicon.ico>',
      '/restgui/images/favicon.ico': image(ICO, 'application/octet-stream'),
    },
    facts: faviconFacts(Buffer.from(ICO, 'latin1')),
    asked: ['/', '/restgui/start.html', '/restgui/images/favicon.ico'],
  },
  {
    name: 'an icon by the name that the operator gave',
    site: { '/': '<link rel=icon href="http://KVM.example/x.png">', '/x.png': image('\x89PNG\r\n\x1a\n', 'text/plain') },
    as: 'kvm.example',
    facts: faviconFacts(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')),
    asked: ['/', '/x.png'],
  },
  {
    name: 'an icon elsewhere is not asked for',
    site: { '/': '<link rel=icon href="http://192.0.2.1/x.ico">' },
    facts: {},
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'an icon on another port is not asked for',
    site: { '/': '<link rel=icon href="http://127.0.0.1:81/x.ico">' },
    facts: {},
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'an icon that is a picture of the screen is not asked for',
    site: { '/': '<link rel=icon href="/snapshot.png">' },
    facts: {},
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'an icon behind a command is not asked for',
    site: { '/': '<link rel=icon href="/reboot/x.png">' },
    facts: {},
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'an icon inside the page',
    site: { '/': `<link rel=icon href="data:image/x-icon;base64,${Buffer.from(ICO, 'latin1').toString('base64')}">` },
    facts: faviconFacts(Buffer.from(ICO, 'latin1')),
    asked: ['/'],
  },
  {
    name: 'a drawing inside the page',
    site: { '/': '<link rel=icon href="data:image/svg+xml;utf8,%3Csvg/%3E">' },
    facts: faviconFacts(Buffer.from('<svg/>')),
    asked: ['/'],
  },
  {
    name: 'an empty icon inside the page means that there is none',
    site: { '/': '<link rel=icon href="data:,">' },
    facts: {},
    without: ['http.favicon.md5'],
    asked: ['/'],
  },
  {
    name: 'the login page in the place of the icon is none',
    site: { '/': PAGE, '/favicon.ico': PAGE },
    facts: {},
    without: ['http.favicon.md5'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'the login page under the type of an icon is none',
    site: { '/': PAGE, '/favicon.ico': image(PAGE) },
    facts: {},
    without: ['http.favicon.md5'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'an icon with another status is none',
    site: { '/': PAGE, '/favicon.ico': { status: 203, body: ICO } },
    facts: {},
    without: ['http.favicon.md5'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'an icon that never ended is none',
    site: { '/': PAGE, '/favicon.ico': { body: ICO, cut: 'time' } },
    facts: {},
    without: ['http.favicon.md5'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'an empty icon is none',
    site: { '/': PAGE, '/favicon.ico': image('') },
    facts: {},
    without: ['http.favicon.md5'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'an icon that does not come is none',
    site: { '/': PAGE, '/favicon.ico': new ProbeError('silent', 'x') },
    facts: { 'http.title': 'Login' },
    without: ['http.favicon.md5'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'a server in trouble is not asked for its icon',
    site: { '/': { status: 503, body: 'busy' } },
    facts: { 'http.status': 503, 'http.body': 'busy' },
    asked: ['/'],
  },
  {
    name: 'a page without a status line',
    site: { '/': { status: undefined, headers: [], body: '<HTML><TITLE>Old PDU</TITLE>', loose: true } },
    facts: { 'http.title': 'Old PDU', 'http.body': '<HTML><TITLE>Old PDU</TITLE>' },
    without: ['http.status', 'http.headers', 'http.type'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'plain HTTP at a TLS port',
    site: { '/': { status: 400, body: '<title>400</title>The plain HTTP request was sent to HTTPS port' } },
    facts: { 'http.status': 400, 'http.title': '400' },
    asked: ['/'],
  },
  {
    name: 'a page of bytes has no text',
    site: { '/': image('\x89PNG\0\0') },
    facts: { 'http.type': 'image/x-icon' },
    without: ['http.body', 'http.title'],
    asked: ['/', '/favicon.ico'],
  },
  {
    name: 'IPv6',
    site: { '/': '<link rel=icon href="http://[::1]/i.ico">', '/i.ico': image(ICO) },
    options: { host: '::1' },
    facts: faviconFacts(Buffer.from(ICO, 'latin1')),
    asked: ['/', '/i.ico'],
  },
])('HTTP: $name', async ({ site, options = {}, as, facts, without = [], asked }) => {
  const web = new PlaybackSite(site, options);
  const said = await http.talk(web, as === undefined ? {} : { name: as });
  expect(said).toMatchObject(facts);
  for (const name of without) expect(said).not.toHaveProperty([name]);
  expect(web.asked).toEqual(asked);
  expect(JSON.stringify(said)).not.toContain('SECRET');
  expectVocabulary(said, 'http');
});

test('HTTP: a header named like a member of objects is a header', async () => {
  const said = await http.talk(
    new PlaybackSite({
      '/': {
        headers: [
          ['__proto__', 'x'],
          ['constructor', 'y'],
        ],
        body: 'x',
      },
    }),
    {},
  );
  expect(Object.entries(said['http.headers'] ?? {})).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});

test('HTTP: headers made to be slow are read in a moment', async () => {
  const blanks = ' '.repeat(60_000);
  const headers = ['Set-Cookie', 'WWW-Authenticate', 'Refresh', 'Content-Type', 'Location', 'X'].flatMap((name) => [
    [name, `a${blanks}b`] as const,
    [name, `realm${blanks}="${'\\'.repeat(1000)}charset${blanks}x`] as const,
    [name, `${';'.repeat(60_000)}=`] as const,
  ]);
  const from = performance.now();
  await http.talk(new PlaybackSite({ '/': { headers, body: `<link rel=icon href="data:${';a'.repeat(30_000)}">` } }), {});
  expect(performance.now() - from).toBeLessThan(1000);
});

test.for<{ name: string; reply: Reply; kind: string; facts: Facts }>([
  {
    name: 'a TLS alert',
    reply: { status: undefined, headers: [], body: '\x15\x03\x01\0\x02\x02F' },
    kind: 'not-this-protocol',
    facts: { 'banner.text': '\x15\x03\x01\0\x02\x02F', 'banner.hex': '15030100020246' },
  },
  {
    name: 'an SSH banner',
    reply: { status: undefined, headers: [], body: 'SSH-2.0-x\r\n' },
    kind: 'not-this-protocol',
    facts: { 'banner.text': 'SSH-2.0-x\r\n' },
  },
  { name: 'silence', reply: new ProbeError('silent', 'did not answer'), kind: 'silent', facts: {} },
])('HTTP: $name in place of a page', async ({ reply, kind, facts }) => {
  const web = new PlaybackSite({ '/': reply });
  await expect(http.talk(web, {})).rejects.toMatchObject({ kind, facts });
  expect(web.asked).toEqual(['/']);
});

test('HTTP: a mistake of ours is not a misbehaviour of the device', async () => {
  const web = new PlaybackSite({ '/': PAGE });
  web.get = async (path) => {
    if (path === '/') return pageOf(path, PAGE);
    throw new ForbiddenError(problem('not-allowed', { what: path }));
  };
  await expect(http.talk(web, {})).rejects.toBeInstanceOf(ForbiddenError);
});

test.for<{ name: string; reply: Reply; tls: boolean }>([
  { name: 'nginx', reply: { status: 400, body: '<center>The plain HTTP request was sent to HTTPS port</center>' }, tls: true },
  { name: 'Apache', reply: { status: 400, body: "Reason: You're speaking plain HTTP to an SSL-enabled server port." }, tls: true },
  { name: 'Go', reply: { status: 400, body: 'Client sent an HTTP request to an HTTPS server.\n' }, tls: true },
  { name: 'an alert', reply: { status: undefined, body: '\x15\x03\x03\0\x02\x02\x28' }, tls: true },
  { name: 'another 400', reply: { status: 400, body: 'Bad Request' }, tls: false },
  { name: 'a page that writes about it', reply: { status: 200, body: 'The plain HTTP request was sent to HTTPS port' }, tls: false },
  { name: 'a banner', reply: { status: undefined, body: 'SSH-2.0-x' }, tls: false },
])('HTTP: $name speaks TLS: $tls', ({ reply, tls }) => expect(speaksTls(pageOf('/', reply))).toBe(tls));

const PARTS = [
  '<title>',
  '</title>',
  '<meta http-equiv=refresh content="0;url=',
  '"/>',
  '<link rel=icon href="',
  '/login',
  'data:image/png;base64,',
  'http://127.0.0.1/',
  '//',
  '%2e%2e/',
  '\0',
  '\xff',
  'location.href="',
  '<form>',
  '<input name=',
];
const anyReply = fc.record({
  status: fc.option(fc.constantFrom(200, 301, 302, 401, 404, 500, 0), { nil: undefined }),
  headers: fc.array(
    fc.tuple(
      fc.constantFrom('Location', 'Set-Cookie', 'Content-Type', 'WWW-Authenticate', 'Refresh', '__proto__', 'X'),
      fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom('/login', '/', 'a=b; c', 'text/html; charset=x', 'Basic realm="')),
    ),
    { maxLength: 5 },
  ),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => [...bytes]),
    fc.array(fc.constantFrom(...PARTS), { maxLength: 12 }).map((parts) => parts.join('')),
  ),
});

test('HTTP: any replies end in facts or a ProbeError, after at most six requests', () =>
  fc.assert(
    fc.asyncProperty(anyReply, anyReply, anyReply, async (first, second, icon) => {
      const web = new PlaybackSite({ '/': first, '/login': second, '/favicon.ico': icon });
      try {
        expectVocabulary(await http.talk(web, {}), 'http');
      } catch (error) {
        if (!(error instanceof ProbeError)) throw error;
        expectVocabulary(error.facts, 'http');
      }
      expect(web.asked.length).toBeLessThanOrEqual(6);
    }),
    { numRuns: 500 },
  ));
