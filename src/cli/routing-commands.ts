/** The commands about rules and data files. */
import type { Command } from 'commander'
import { geo } from './commands/geo.ts'
import { route } from './commands/route.ts'
import type { Terminal } from './process/terminal.ts'

const routeHelp = `
Nothing is started and nothing is dialled; a name is resolved where a rule needs its addresses.

Examples:
  vmess route -c config.json --to example.com:443
  vmess route -c config.json --to 10.0.0.1:53 --network udp --inbound socks-in --user ann@example.com`

const geoHelp = `
The files are looked for here, and where rules look for them (docs/config.md, Rules); --dir names a directory to look into first.

Examples:
  vmess geo list --file geosite.dat
  vmess geo lookup www.example.com
  vmess geo lookup 192.0.2.1`

export function addRouting(
  program: Command,
  terminal: Terminal,
  done: (code: number) => void,
  withSources: (command: Command) => Command,
): void {
  withSources(program.command('route').description('say which rule and outbound would take a connection, and why'))
    .option('--to <address>', 'the target: a name or an IP address, and a port')
    .option('--from <address>', 'the client: an IP address, with or without a port')
    .option('--user <email>', 'the user')
    .option('--inbound <tag>', 'the inbound; the first one without it')
    .option('--network <name>', 'tcp or udp', 'tcp')
    .option('--protocol <name>', 'what sniffing would find: http1, tls, quic or bittorrent')
    .option('--json', 'print it as JSON')
    .addHelpText('after', routeHelp)
    .action(async (flags) => done(await route(flags, terminal)))
  program
    .command('geo')
    .description('look into geoip.dat and geosite.dat')
    .argument('<what>', 'list: the lists of a file; lookup: those that have a name or an address')
    .argument('[asked]', 'the name or the address')
    .option('--file <name>', 'the file, such as geosite.dat')
    .option('--dir <directory>', 'where it is')
    .addHelpText('after', geoHelp)
    .action((what, asked, flags) => done(geo(what, asked, flags, terminal)))
}
