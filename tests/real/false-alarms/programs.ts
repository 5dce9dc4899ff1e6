import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Place {
  readonly address: string;
  /** A folder for what it writes. */
  readonly folder: string;
  readonly path: string;
}

/** The commands that start a program in the foreground at an address, on the usual port of its protocol. */
export type Program = (place: Place) => readonly (readonly string[])[];

/** Programs that listen where they like: somebody else listens at the address, and passes on. */
const forward = (address: string, port: number): readonly string[] => [
  'socat',
  `TCP-LISTEN:80,bind=${address},reuseaddr,fork`,
  `TCP:127.0.0.1:${port}`,
];

function file(folder: string, name: string, ...lines: string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

function site(folder: string): string {
  const root = join(folder, 'www');
  mkdirSync(root, { recursive: true });
  file(root, 'index.html', '<!doctype html><html><head><title>It works</title></head><body><h1>It works</h1></body></html>');
  return root;
}

const modules = (...names: string[]): string[] => names.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);

export const programs: Readonly<Record<string, Program>> = {
  apache2: ({ address, folder }) => {
    const conf = file(
      folder,
      'apache.conf',
      ...modules('mpm_event', 'authz_core', 'dir', 'mime', 'autoindex', 'status'),
      `ServerRoot ${folder}`,
      `PidFile ${folder}/pid`,
      `ErrorLog ${folder}/error`,
      `Listen ${address}:80`,
      `ServerName ${address}`,
      'User www-data',
      'Group www-data',
      'TypesConfig /etc/mime.types',
      `DocumentRoot ${site(folder)}`,
      '<Location /server-status>',
      'SetHandler server-status',
      '</Location>',
    );
    return [['apache2', '-f', conf, '-DFOREGROUND']];
  },
  aria2c: ({ address, folder }) => [
    ['aria2c', '--enable-rpc', '--rpc-listen-port=28080', '--no-conf', `--dir=${folder}`, '--enable-dht=false', '--quiet'],
    forward(address, 28_080),
  ],
  civetweb: ({ address, folder }) => [['civetweb', '-listening_ports', `${address}:80`, '-document_root', site(folder)]],
  'cockpit-ws': ({ address }) => [['cockpit-ws', '--no-tls', `--address=${address}`, '--port=80']],
  cupsd: ({ address, folder }) => {
    const conf = file(
      folder,
      'cupsd.conf',
      `Listen ${address}:80`,
      'Browsing Off',
      'WebInterface Yes',
      '<Location />',
      'Allow all',
      '</Location>',
    );
    const files = file(
      folder,
      'files.conf',
      ...['ServerRoot', 'StateDir', 'RequestRoot', 'CacheDir'].map((name) => `${name} ${folder}`),
      `TempDir ${folder}`,
      ...['AccessLog', 'ErrorLog', 'PageLog'].map((name) => `${name} ${folder}/${name}`),
    );
    return [['cupsd', '-f', '-c', conf, '-s', files]];
  },
  darkstat: ({ address, folder }) => [
    ['darkstat', '-i', 'lo', '-b', address, '-p', '80', '--no-daemon', '--no-promisc', '--chroot', folder, '--user', 'nobody'],
  ],
  dropbear: ({ address, folder }) => {
    const key = join(folder, 'key');
    spawnSync('dropbearkey', ['-t', 'ed25519', '-f', key]);
    return [['dropbear', '-F', '-E', '-s', '-p', `${address}:22`, '-r', key, '-P', join(folder, 'pid')]];
  },
  haproxy: ({ address, folder }) => {
    const conf = file(
      folder,
      'haproxy.cfg',
      'defaults',
      '  mode http',
      '  timeout client 5s',
      '  timeout server 5s',
      '  timeout connect 5s',
      'frontend stats',
      `  bind ${address}:80`,
      '  stats enable',
      '  stats uri /',
    );
    return [['haproxy', '-db', '-f', conf]];
  },
  icecast2: ({ address, folder }) => {
    const conf = file(
      folder,
      'icecast.xml',
      '<icecast><limits><clients>10</clients></limits><authentication><source-password>x</source-password><admin-user>admin</admin-user><admin-password>x</admin-password></authentication>',
      `<hostname>localhost</hostname><listen-socket><port>80</port><bind-address>${address}</bind-address></listen-socket>`,
      `<paths><basedir>/usr/share/icecast2</basedir><logdir>${folder}</logdir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot><alias source="/" destination="/status.xsl"/></paths>`,
      '<security><chroot>0</chroot><changeowner><user>nobody</user><group>nogroup</group></changeowner></security></icecast>',
    );
    return [['icecast2', '-c', conf]];
  },
  lighttpd: ({ address, folder }) => {
    const conf = file(
      folder,
      'lighttpd.conf',
      `server.document-root = "${site(folder)}"`,
      `server.bind = "${address}"`,
      'server.port = 80',
      'index-file.names = ("index.html")',
    );
    return [['lighttpd', '-D', '-f', conf]];
  },
  'micro-httpd': ({ address, folder }) => [['socat', `TCP-LISTEN:80,bind=${address},reuseaddr,fork`, `EXEC:micro-httpd ${site(folder)}`]],
  mini_httpd: ({ address, folder }) => [
    [
      'mini_httpd',
      '-D',
      '-h',
      address,
      '-p',
      '80',
      '-d',
      site(folder),
      '-l',
      join(folder, 'log'),
      '-i',
      join(folder, 'pid'),
      '-u',
      'nobody',
    ],
  ],
  minidlnad: ({ address, folder }) => {
    mkdirSync(join(folder, 'db'));
    const conf = file(
      folder,
      'minidlna.conf',
      'port=28082',
      'network_interface=lo',
      `media_dir=${folder}`,
      `db_dir=${folder}/db`,
      `log_dir=${folder}`,
      'friendly_name=Media',
    );
    return [['minidlnad', '-S', '-f', conf, '-P', join(folder, 'pid')], forward(address, 28_082)];
  },
  monit: ({ address, folder }) => {
    const conf = file(
      folder,
      'monitrc',
      'set daemon 60',
      `set pidfile ${folder}/pid`,
      `set idfile ${folder}/id`,
      `set statefile ${folder}/state`,
      `set httpd port 80 and use address ${address}`,
      '  allow 127.0.0.0/8',
    );
    spawnSync('chmod', ['600', conf]);
    return [['monit', '-I', '-c', conf]];
  },
  nzbget: ({ address, folder }) => [
    [
      'nzbget',
      '-n',
      '-s',
      '-o',
      'OutputMode=log',
      '-o',
      `ControlIP=${address}`,
      '-o',
      'ControlPort=80',
      '-o',
      'ControlPassword=',
      '-o',
      `MainDir=${folder}`,
      '-o',
      'WebDir=/usr/share/nzbget/webui',
    ],
  ],
  php: ({ address, folder }) => {
    const root = join(folder, 'www');
    mkdirSync(root);
    file(root, 'index.php', '<?php phpinfo();');
    return [['php', '-S', `${address}:80`, '-t', root]];
  },
  privoxy: ({ address, folder }) => {
    const conf = file(
      folder,
      'config',
      'confdir /etc/privoxy',
      'templdir /etc/privoxy/templates',
      `logdir ${folder}`,
      `listen-address ${address}:80`,
    );
    return [['privoxy', '--no-daemon', conf]];
  },
  'prometheus-blackbox-exporter': ({ address, folder, path }) => [
    [path, `--web.listen-address=${address}:80`, `--config.file=${file(folder, 'blackbox.yml', 'modules: {}')}`],
  ],
  'prometheus-node-exporter': ({ address, path }) => [[path, `--web.listen-address=${address}:80`]],
  'prometheus-pushgateway': ({ address, path }) => [[path, `--web.listen-address=${address}:80`]],
  'pure-ftpd': ({ address, path }) => [[path, '-S', `${address},21`, '-E']],
  python3: ({ address, folder }) => [['python3', '-m', 'http.server', '80', '--bind', address, '--directory', site(folder)]],
  shellinaboxd: ({ address }) => [['shellinaboxd', '-t', '-p', '28081', '--localhost-only'], forward(address, 28_081)],
  squid: ({ address, folder }) => {
    const conf = file(
      folder,
      'squid.conf',
      `http_port ${address}:80`,
      'http_access deny all',
      'pid_filename none',
      'cache_effective_user nobody',
      'cache_effective_group nogroup',
      `cache_log ${folder}/cache.log`,
      'access_log none',
      `coredump_dir ${folder}`,
      'pinger_enable off',
      'visible_hostname proxy.example.com',
    );
    return [['squid', '-N', '-f', conf]];
  },
  sshd: ({ address, folder }) => {
    const key = join(folder, 'key');
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    mkdirSync('/run/sshd', { recursive: true });
    const conf = file(
      folder,
      'sshd.conf',
      `HostKey ${key}`,
      `ListenAddress ${address}:22`,
      'UsePAM no',
      'PidFile none',
      'PasswordAuthentication no',
    );
    return [['/usr/sbin/sshd', '-D', '-e', '-f', conf]];
  },
  syncthing: ({ address, folder, path }) => [
    [path, 'serve', '--no-browser', `--home=${folder}`, `--gui-address=${address}:80`, '--no-default-folder'],
  ],
  telnetd: ({ address }) => [['socat', `TCP-LISTEN:23,bind=${address},reuseaddr,fork`, 'EXEC:telnetd,nofork']],
  tinyproxy: ({ address, folder }) => {
    const conf = file(
      folder,
      'tinyproxy.conf',
      'User nobody',
      'Group nogroup',
      'Port 80',
      `Listen ${address}`,
      'Timeout 5',
      'MaxClients 10',
    );
    return [['tinyproxy', '-d', '-c', conf]];
  },
  tor: ({ address, folder }) => [
    ['tor', '-f', file(folder, 'torrc', `SocksPort ${address}:80`, `DataDirectory ${folder}/data`, 'RunAsDaemon 0')],
  ],
  'transmission-daemon': ({ address, folder }) => [
    ['transmission-daemon', '-f', '-g', folder, '-p', '80', '-r', address, '-a', '*.*.*.*', '--no-dht', '--no-lpd', '--no-portmap', '-T'],
  ],
  vsftpd: ({ address, folder }) => {
    mkdirSync(join(folder, 'empty'));
    const conf = file(
      folder,
      'vsftpd.conf',
      'listen=YES',
      `listen_address=${address}`,
      'background=NO',
      `secure_chroot_dir=${folder}/empty`,
      'seccomp_sandbox=NO',
    );
    return [['vsftpd', conf]];
  },
  webfsd: ({ address, folder }) => [['webfsd', '-F', '-i', address, '-p', '80', '-r', site(folder), '-f', 'index.html', '-4']],
  x11vnc: ({ address, folder }) => [
    ['Xtigervnc', ':78', '-localhost', '-rfbport', '28083', '-SecurityTypes', 'None', '-geometry', '64x64', '-fp', ''],
    ['bash', '-c', `sleep 2; exec x11vnc -display :78 -listen ${address} -rfbport 5900 -forever -nopw -noipv6 -o ${folder}/log`],
  ],
  Xtigervnc: ({ address }) => [
    ['Xtigervnc', ':77', '-interface', address, '-rfbport', '5900', '-SecurityTypes', 'VncAuth,None', '-geometry', '64x64'],
  ],
};
