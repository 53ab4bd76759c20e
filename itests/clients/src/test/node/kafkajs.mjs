// kafkajs produce BOOTSTRAP TOPIC CODEC — one value a line on standard input goes to partition 0.
// kafkajs consume BOOTSTRAP COUNT TOPIC=FILE... — so many values of each topic, each as a line of its file.
// kafkajs roundtrip BOOTSTRAP TOPIC VALUE,... WORD=VALUE... — writes the values and reads them in a group with the topic's name.
// kafkajs transact BOOTSTRAP TRANSACTIONAL-ID — begins a transaction and says what it was refused with.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { words } from './access.mjs'
import { Output } from './output.mjs'

const require = createRequire(import.meta.url)
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
const lz4 = require('lz4-napi')

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(encoder.buffer),
  decompress: (buffer) => lz4.decompressFrame(buffer)
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder) => promisify(zlib.zstdCompress)(encoder.buffer),
  decompress: (buffer) => promisify(zlib.zstdDecompress)(buffer)
})

const CODECS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD
}

const [command, bootstrap, ...rest] = process.argv.slice(2)
const kafka = new Kafka({ brokers: [bootstrap], clientId: 'kafkajs', logLevel: logLevel.ERROR })

async function produce (topic, codec) {
  const producer = kafka.producer()
  await producer.connect()
  let batch = []
  const send = async () => {
    if (batch.length > 0) {
      await producer.send({ topic, acks: -1, compression: CODECS[codec], messages: batch })
      batch = []
    }
  }
  for await (const line of createInterface({ input: process.stdin.setEncoding('latin1'), crlfDelay: Infinity })) {
    batch.push({ partition: 0, value: Buffer.from(line, 'latin1') })
    if (batch.length === 2000) await send()
  }
  await send()
  await producer.disconnect()
}

async function consume (count, outputs) {
  const topics = outputs.map((output) => new Output(output, count))
  const consumer = kafka.consumer({ groupId: `kafkajs-${topics[0].topic}`, maxBytesPerPartition: 4 << 20, maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topics: topics.map((output) => output.topic), fromBeginning: true })
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, (event) => reject(event.payload.error))
    consumer.run({
      eachBatch: async ({ batch }) => {
        topics.find((output) => output.topic === batch.topic).write(batch.messages)
        if (topics.every((output) => output.left === 0)) resolve()
      }
    }).catch(reject)
  })
  await consumer.disconnect()
}

async function transact (transactionalId) {
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  try {
    await producer.transaction()
    console.log('began')
  } catch (error) {
    console.log(`refused: type=${error.type} retriable=${error.retriable} ${error.message}`)
  }
  await producer.disconnect()
}

async function roundtrip (topic, values, access) {
  const secured = new Kafka({ brokers: [bootstrap], ssl: access.tls, sasl: sasl(access), logLevel: logLevel.ERROR })
  const producer = secured.producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map((value) => ({ value })) })
  await producer.disconnect()
  const consumer = secured.consumer({ groupId: topic, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  let left = values.length
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, (event) => reject(event.payload.error))
    consumer.run({
      eachMessage: async ({ message }) => {
        console.log(`read ${message.value}`)
        if (--left === 0) resolve()
      }
    }).catch(reject)
  })
  await consumer.disconnect()
}

function sasl ({ mechanism, user, password, token }) {
  if (mechanism === undefined) return undefined
  if (token !== undefined) return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: token }) }
  return { mechanism: mechanism.toLowerCase(), username: user, password }
}

const COMMANDS = {
  produce: () => produce(...rest),
  consume: () => consume(rest[0], rest.slice(1)),
  transact: () => transact(...rest),
  roundtrip: () => roundtrip(rest[0], rest[1].split(','), words(rest.slice(2)))
}
await COMMANDS[command]()
