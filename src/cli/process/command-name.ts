/** How a person can type this program's name. */
import { accessSync, constants, realpathSync } from 'node:fs'
import { basename, delimiter, join, relative } from 'node:path'

/** `vmess` where that is on the PATH, else `node` and the path of the script, as from a fresh clone. */
export function commandName(script: string, cwd: string, path = ''): string {
  if (script === '' || basename(script) === 'vmess') return 'vmess'
  if (path.split(delimiter).some((folder) => folder !== '' && isSame(join(folder, 'vmess'), script))) return 'vmess'
  const near = relative(cwd, script)
  const shorter = near !== '' && !near.startsWith('..') ? near : script
  return `node ${/^[\w./@:+-]+$/.test(shorter) ? shorter : `'${shorter}'`}`
}

/** Whether the command is there and is this program. */
function isSame(command: string, script: string): boolean {
  try {
    accessSync(command, constants.X_OK)
    return realpathSync(command) === realpathSync(script)
  } catch {
    return false
  }
}

const commands = /(?<![\w./-])vmess (?=-|(?:start|serve|connect|run|test|uuid|version|help)\b|<command>)/g

/** The text with its commands as they can be typed. */
export const nameCommands = (text: string, command: string): string =>
  command === 'vmess' ? text : text.replace(commands, () => `${command} `)
