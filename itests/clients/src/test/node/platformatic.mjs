// platformatic produce BOOTSTRAP TOPIC CODEC — one value a line on standard input goes to partition 0.
// platformatic consume BOOTSTRAP COUNT TOPIC=FILE... — so many values of each topic, each as a line of its file.
// platformatic roundtrip BOOTSTRAP TOPIC VALUE,... WORD=VALUE... — writes the values and reads them in a group with the topic's name.
import { createInterface } from 'node:readline'
import { Consumer, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka'
import { words } from './access.mjs'
import { Output } from './output.mjs'

const [command, bootstrap, ...rest] = process.argv.slice(2)
const options = { clientId: 'platformatic', bootstrapBrokers: [bootstrap] }

async function produce (topic, codec) {
  const producer = new Producer(options)
  let batch = []
  const send = async () => {
    if (batch.length > 0) {
      await producer.send({ messages: batch, acks: ProduceAcks.ALL, compression: codec })
      batch = []
    }
  }
  for await (const line of createInterface({ input: process.stdin.setEncoding('latin1'), crlfDelay: Infinity })) {
    batch.push({ topic, partition: 0, value: Buffer.from(line, 'latin1') })
    if (batch.length === 2000) await send()
  }
  await send()
  await producer.close()
}

async function consume (count, outputs) {
  const topics = new Map(outputs.map((output) => new Output(output, count)).map((output) => [output.topic, output]))
  const consumer = new Consumer({ ...options, groupId: `platformatic-${[...topics.keys()][0]}` })
  const stream = await consumer.consume({
    topics: [...topics.keys()],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: true,
    maxWaitTime: 500,
    maxBytes: 4 << 20
  })
  let left = topics.size
  for await (const message of stream) {
    const output = topics.get(message.topic)
    if (output.left > 0) {
      output.write([message])
      if (output.left === 0) left--
    }
    if (left === 0) break
  }
  await consumer.close(true)
}

async function roundtrip (topic, values, access) {
  const secured = { clientId: 'platformatic', bootstrapBrokers: [bootstrap], tls: access.tls, sasl: sasl(access) }
  const producer = new Producer(secured)
  await producer.send({ messages: values.map((value) => ({ topic, value: Buffer.from(value) })), acks: ProduceAcks.ALL })
  await producer.close()
  const consumer = new Consumer({ ...secured, groupId: topic })
  const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: true, maxWaitTime: 100 })
  let left = values.length
  for await (const message of stream) {
    console.log(`read ${message.value}`)
    if (--left === 0) break
  }
  await consumer.close(true)
}

function sasl ({ mechanism, user, password, token }) {
  if (mechanism === undefined) return undefined
  return token === undefined ? { mechanism, username: user, password } : { mechanism, token }
}

const COMMANDS = {
  produce: () => produce(...rest),
  consume: () => consume(rest[0], rest.slice(1)),
  roundtrip: () => roundtrip(rest[0], rest[1].split(','), words(rest.slice(2)))
}
await COMMANDS[command]()
