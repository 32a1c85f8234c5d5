import { expect, it } from 'vitest'
import { normaliseArgv } from './argv.ts'

it.each([
  ['', 'run'],
  ['run', 'run'],
  ['-c a.json', 'run --config=a.json'],
  ['-config a.json', 'run --config=a.json'],
  ['--config a.json', 'run --config=a.json'],
  ['-config=a.json', 'run --config=a.json'],
  ['--config=a.json', 'run --config=a.json'],
  ['-c=a.json', 'run --config=a.json'],
  ['run -c a.json -config b.json', 'run --config=a.json --config=b.json'],
  ['run -config -odd-name.json', 'run --config=-odd-name.json'],
  ['run -config=a=b.json', 'run --config=a=b.json'],
  ['run -config=', 'run --config='],
  ['run -confdir d -d e', 'run --confdir=d --confdir=e'],
  ['-test -config a.json', 'run --test --config=a.json'],
  ['run -test -c a.json', 'run --test --config=a.json'],
  ['run -test=true', 'run --test'],
  ['run -test=T -dump=1', 'run --test --dump'],
  ['run -test=false -dump=0', 'run'],
  ['run -test=maybe', 'run --test=maybe'],
  ['run --allow-unapplied-rules -c a', 'run --allow-unapplied-rules --config=a'],
  ['run -format json', 'run --format=json'],
  ['-version', 'version'],
  ['--version', 'version'],
  ['-v', 'version'],
  ['-h', 'help'],
  ['-help', 'help'],
  ['run -h', 'run --help'],
  ['help run', 'help run'],
  ['uuid -i text', 'uuid --input=text'],
  ['uuid -i -dashed', 'uuid --input=-dashed'],
  ['run -config', 'run --config'],
  ['run -bogus', 'run --bogus'],
  ['run -bogus=1', 'run --bogus=1'],
  ['-bogus', 'run --bogus'],
  ['connect vmess://x -port 1', 'connect vmess://x --port=1'],
  ['connect -', 'connect -'],
  ['connect -- -c', 'connect -- -c'],
])('%s → %s', (typed, normal) => {
  const split = (text: string) => text.split(' ').filter((part) => part !== '')
  expect(normaliseArgv(split(typed))).toEqual(split(normal))
})

it('keeps values with blanks and line breaks whole', () => {
  expect(normaliseArgv(['uuid', '-i', 'a b\nc'])).toEqual(['uuid', '--input=a b\nc'])
  expect(normaliseArgv(['serve', '-name=a b\nc'])).toEqual(['serve', '--name=a b\nc'])
})
