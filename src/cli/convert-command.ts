/** The command that converts. */
import type { Command } from 'commander'
import { convert } from './commands/convert.ts'
import type { Terminal } from './process/terminal.ts'

const help = `
What it is given is told by its content: a configuration of V2Ray or Xray (JSON, YAML, TOML, jsonv5), a file or an outbound
of sing-box, a file or a proxy of Clash, or links. The result goes to standard output; every field that could not be carried
over goes to standard error, with its value and why.
What cannot carry traffic there as it does here is not written halfway: an outbound becomes a blackhole, an inbound and a rule
are left out.

Examples:
  vmess convert config.json --to v5
  vmess convert sing-box.json --to link
  vmess convert --to clash - < links.txt
  vmess convert clash.yaml --to xray > config.json`

export function addConvert(
  program: Command,
  terminal: Terminal,
  done: (code: number) => void,
  withSources: (command: Command) => Command,
): void {
  withSources(program.command('convert').description('write a configuration, or the servers in it, in another form'))
    .argument('[file]', 'a file, a vmess:// link, or - for standard input')
    .option('--to <form>', 'v4, v5 (jsonv5), xray, sing-box, clash or link')
    .option('--from <form>', 'what it is; told by its content without it')
    .option('--skip-unsupported', 'leave out inbounds and outbounds of other protocols')
    .addHelpText('after', help)
    .action(async (file, flags) => done(await convert(file, flags, terminal)))
}
