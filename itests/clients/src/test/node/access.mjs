// How a client reaches a secured node: WORD=VALUE..., with files for TLS.
import { readFileSync } from 'node:fs'

export function words (list) {
  const access = Object.fromEntries(list.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]))
  access.tls = { ca: [readFileSync(access.ca, 'utf8')] }
  if (access.certificate !== undefined) {
    access.tls.cert = readFileSync(access.certificate, 'utf8')
    access.tls.key = readFileSync(access.key, 'utf8')
  }
  return access
}
