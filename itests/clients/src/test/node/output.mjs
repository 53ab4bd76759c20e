// Where the values of one topic go: TOPIC=FILE.
import { closeSync, openSync, writeSync } from 'node:fs'

const LINE_FEED = Buffer.from('\n')
const CHUNK = 4000

export class Output {
  constructor (argument, count) {
    [this.topic, this.file] = argument.split('=')
    this.left = Number(count)
    this.descriptor = openSync(this.file, 'w')
    this.pending = []
  }

  write (messages) {
    for (const message of messages.slice(0, this.left)) this.pending.push(message.value, LINE_FEED)
    this.left -= Math.min(this.left, messages.length)
    if (this.pending.length >= CHUNK || this.left === 0) this.#settle()
    if (this.left === 0 && messages.length > 0) this.#close()
  }

  #settle () {
    const bytes = Buffer.concat(this.pending)
    for (let at = 0; at < bytes.length;) at += writeSync(this.descriptor, bytes, at)
    this.pending = []
  }

  #close () {
    if (this.descriptor === undefined) return
    closeSync(this.descriptor)
    this.descriptor = undefined
  }
}
