/** The commands, their flags and their help. */
import { Command } from 'commander'
import { serverTransports } from '../config/link/server-stream.ts'
import { connect } from './commands/connect.ts'
import { run } from './commands/run.ts'
import { serve } from './commands/serve.ts'
import { start } from './commands/start.ts'
import { uuid } from './commands/uuid.ts'
import { addConvert } from './convert-command.ts'
import { nameCommands } from './process/command-name.ts'
import { exitCodes } from './process/exit.ts'
import type { Terminal } from './process/terminal.ts'
import { addRouting } from './routing-commands.ts'
import { versionText } from './version.ts'

const exitCodeHelp = `
Exit codes:
  0    done, or stopped by a signal
  2    wrong command, flag or argument
  23   the configuration or the link cannot be used
  255  it could not be started: a port in use, a log file that cannot be written`

const fileHelp = `
Which files are read:
  1. every -c FILE in the order given; "stdin:" and http(s) URLs count as files
  2. then the .json and .jsonc files of every -confdir DIR, by name; without -confdir, of the directory
     that VMESS_LOCATION_CONFDIR names (or XRAY_LOCATION_CONFDIR, V2RAY_LOCATION_CONFDIR)
  3. if that is nothing: ./config.json, then config.json in the directory that VMESS_LOCATION_CONFIG names
     (or XRAY_, V2RAY_; without it, in that of the program), then standard input
  Several files are merged; "vmess run -dump" prints the result.`

const reloadHelp = `
SIGHUP reads the same files again and applies what is different; nobody is dropped but users who are gone. Files with
a mistake change nothing, and the log says why.`

const topHelp = `
Without a command, "run" is meant. Flags have one dash or two, and -flag value or -flag=value.

Examples:
  vmess start                         see it work: server, client and a page, all on this machine
  vmess serve --host vpn.example.org  a server with a configuration of its own, and its share link
  vmess connect --link-file link.txt  a local proxy from a share link
  vmess run -c config.json            a V2Ray or Xray configuration
  vmess -test -config config.json     the same, in V2Ray's spelling, checked only
${exitCodeHelp}`

/** The parser of a command, or of all where that is none; `done` receives the exit code of the command that ran. */
export function createProgram(asked: string, terminal: Terminal, done: (code: number) => void): Command {
  const program = new Command('vmess')
    .description('VMess server and client, for the configurations and share links of V2Ray and Xray.')
    .usage('<command> [flags]')
    .addHelpText('after', topHelp)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(nameCommands(text.replace(/\n$/, ''), terminal.command)),
      writeErr: (text) => terminal.err(text.replace(/\n$/, '')),
    })
    .showHelpAfterError('Usage: vmess <command> [flags]\nSee "vmess help" for all commands.')
    .helpCommand('help [command]', 'show this, or the help of a command')
    .helpOption('-h, --help', 'show this')
  const meant = commands.filter(({ names }) => names.includes(asked))
  for (const { add } of meant.length > 0 ? meant : commands) add(program, terminal, done)
  for (const command of program.commands) {
    const name = command.name()
    command.showHelpAfterError(`Usage: vmess ${name} ${command.usage()}\nSee "vmess help ${name}" for its flags.`)
  }
  return program
}

type Done = (code: number) => void

/** What makes them, in the order in which help shows them. */
const commands: readonly { names: readonly string[]; add(program: Command, terminal: Terminal, done: Done): void }[] = [
  { names: ['run'], add: addRun },
  { names: ['test'], add: addTest },
  { names: ['serve'], add: addServe },
  { names: ['connect'], add: addConnect },
  { names: ['start'], add: addStart },
  { names: ['route', 'geo'], add: (...given) => addRouting(...given, withSources) },
  { names: ['convert'], add: (...given) => addConvert(...given, withSources) },
  { names: ['uuid', 'version'], add: addSmall },
]

const collect = (value: string, earlier: string[] = []) => [...earlier, value]

function withSources(command: Command): Command {
  return command
    .option('-c, --config <file>', 'a configuration file; may be repeated', collect)
    .option('-d, --confdir <dir>', 'a directory of configuration files; may be repeated', collect)
    .option('-r, --recursive', 'also the directories inside it')
    .option('--format <format>', 'auto (by name and content), json, jsonv5, v4, yaml or toml')
    .option('--merge <mode>', 'how several files become one: v2ray, v4 (a list replaces the list) or v5 (deep)')
    .option('--strict', 'take warnings for errors')
}

const withSkipping = (command: Command): Command =>
  command.option(
    '--skip-unsupported',
    'leave out inbounds and outbounds of other protocols; what leads to them is blocked',
  )

const withWorkers = (command: Command): Command =>
  command.option('--workers <number>', 'threads that serve clients, or auto: one for each core; 1 without it')

const withLog = (command: Command): Command =>
  command.option('--log-json', 'write the log as JSON lines').option('--log-format <format>', 'text or json')

function addRun(program: Command, terminal: Terminal, done: Done): void {
  const command = program.command('run').description('run a V2Ray or Xray configuration')
  withWorkers(withLog(withSkipping(withSources(command))))
    .option('--test', 'only check it, as the command test does')
    .option('--json', 'with --test: print what was found as JSON')
    .option('--dump', 'print the merged configuration and end')
    .addHelpText('after', `${fileHelp}\n${exitCodeHelp}`)
    .addHelpText('after', reloadHelp)
    .addHelpText('after', '\nExample:\n  vmess run -c config.json -c more.json --log-json')
    .action(async (flags) => done(await run(flags, terminal)))
}

function addTest(program: Command, terminal: Terminal, done: Done): void {
  withSkipping(withSources(program.command('test').description('check a configuration without running it')))
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', `${fileHelp}\n${exitCodeHelp}`)
    .addHelpText('after', '\nExample:\n  vmess test --strict -c config.json')
    .action(async (flags) => done(await run({ ...flags, test: true }, terminal)))
}

const serveHelp = `
The configuration is made at the first start and kept as $XDG_CONFIG_HOME/vmess/server.json (~/.config without
that variable), readable by you alone. It is never overwritten: later starts use it as it is.
${exitCodeHelp}

Examples:
  vmess serve --host vpn.example.org
  vmess serve --host vpn.example.org --port 443 --tls-cert fullchain.pem --tls-key privkey.pem
  vmess serve --host vpn.example.org --port 80 --transport ws --path /chat`

function addServe(program: Command, terminal: Terminal, done: Done): void {
  withWorkers(withLog(program.command('serve').description('run a server with a generated, saved configuration')))
    .option('--host <name>', "the address in the link; the machine's own without it")
    .option('--port <number>', 'the port of a new configuration; a free one without it')
    .option('--listen <ip>', 'the address to listen on; all without it')
    .option('--id <id>', 'the user of a new configuration: a UUID, or a text of 1 to 30 bytes')
    .option('--transport <name>', `what carries a new configuration: ${serverTransports().join(', ')}; tcp without it`)
    .option(
      '--path <text>',
      'its path, the service name of grpc or the seed of kcp; one that cannot be guessed without it',
    )
    .option('--tls-cert <file>', 'a certificate chain in PEM form, for TLS')
    .option('--tls-key <file>', 'its private key')
    .option('--name <text>', 'the name in the link')
    .addHelpText('after', serveHelp)
    .action(async (flags) => done(await serve(flags, terminal)))
}

const connectHelp = `
Every form of VMess share link is read. A link is a password: give it with --link-file, in the environment as VMESS_LINK,
or with "-" by standard input, where other users of the machine cannot see it. On the command line "ps" shows it until this
program has started, and the history of the shell keeps it.
Of several links, or of a subscription, --choose takes one.
With --via the server is reached through a proxy: socks5://user:password@host:port, socks4://, socks4a://, http:// or
https://; "env" takes the one that HTTPS_PROXY or ALL_PROXY names, unless NO_PROXY names the server.
${exitCodeHelp}

Examples:
  vmess connect --link-file link.txt
  VMESS_LINK="$(pass show vpn)" vmess connect --port 8080
  vmess connect --link-file subscription.txt --choose Tokyo
  vmess connect --link-file link.txt --via socks5://127.0.0.1:9050`

function addConnect(program: Command, terminal: Terminal, done: Done): void {
  withLog(program.command('connect').description('run a local SOCKS and HTTP proxy from a share link'))
    .argument('[link]', 'a vmess:// link, or - for standard input; without it VMESS_LINK')
    .option('--link-file <file>', 'a file that holds the link')
    .option('--choose <which>', 'which of several links: its number, from 1, or its name')
    .option('--via <proxy>', 'a proxy on the way to the server: socks5://…, http://…, or env')
    .option('--listen <ip>', 'the address of the proxy', '127.0.0.1')
    .option('--port <number>', 'the port of the proxy (default: 1080, or a free one if that is taken)')
    .addHelpText('after', connectHelp)
    .action(async (link, flags) => done(await connect(link, flags, terminal)))
}

function addStart(program: Command, terminal: Terminal, done: Done): void {
  program
    .command('start')
    .description('see it work: a server, a client and a page to fetch, on this machine only')
    .option('--port <number>', 'the port of the proxy (default: 1080, or a free one if that is taken)')
    .addHelpText('after', exitCodeHelp)
    .action(async (flags) => done(await start(flags, terminal)))
}

function addSmall(program: Command, terminal: Terminal, done: Done): void {
  program
    .command('uuid')
    .description('print a random UUID, or the one that a custom id stands for')
    .option('-i, --input <text>', 'a custom id of 1 to 30 bytes')
    .addHelpText('after', '\nExample:\n  vmess uuid -i example')
    .action(({ input }) => {
      terminal.out(uuid(input))
      done(exitCodes.ok)
    })
  program
    .command('version')
    .description('print the version, and whether native code is used')
    .action(() => {
      terminal.out(versionText())
      done(exitCodes.ok)
    })
}
