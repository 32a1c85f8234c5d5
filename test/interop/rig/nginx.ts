/** Runs Debian's nginx, where it is installed, with a configuration of the test. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { siteFiles, siteFilesTime } from '../../support/stranger-requests.ts'
import { type Peer, startProgram } from './harness.ts'

const path = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find(existsSync)

export const hasNginx = path !== undefined

/** Such as `nginx/1.22.1`. */
export const nginxVersion = (): string => {
  const { stderr } = versionOf(path!)
  return /nginx\/[\d.]+/.exec(stderr)![0]
}

function versionOf(program: string): { stderr: string } {
  // It writes its version to the error output.
  return { stderr: execFileSync('sh', ['-c', `${program} -v 2>&1`], { encoding: 'utf8' }) }
}

/** A folder with the files of the site. */
export async function writeSite(root: string): Promise<void> {
  for (const [name, text] of Object.entries(siteFiles)) {
    const file = join(root, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    await utimes(file, siteFilesTime, siteFilesTime)
  }
}

/** `http`: what stands in the block of that name, given the folder that is removed when it stops. */
export async function startNginx(http: (folder: string) => string, ports: readonly number[]): Promise<Peer> {
  const folder = await mkdtemp(join(tmpdir(), 'vmess-nginx-'))
  await writeSite(join(folder, 'html'))
  const text = `
${process.getuid?.() === 0 ? 'user root;' : ''}
master_process off;
pid ${folder}/nginx.pid;
error_log stderr;
daemon off;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
${http(folder)}
}
`
  const file = join(folder, 'nginx.conf')
  await writeFile(file, text)
  return startProgram([path!, '-c', file, '-p', folder], folder, { name: 'nginx', ports })
}
