// platformatic produce|consume BOOTSTRAP TOPIC CODEC|COUNT — one value a line on standard input or output, partition 0.
import { createInterface } from 'node:readline'
import { Consumer, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka'

const [command, bootstrap, topic, argument] = process.argv.slice(2)
const options = { clientId: 'platformatic', bootstrapBrokers: [bootstrap] }

async function produce (codec) {
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

async function consume (count) {
  const consumer = new Consumer({ ...options, groupId: `platformatic-${topic}` })
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: true,
    maxBytes: 4 << 20
  })
  let left = Number(count)
  let lines = []
  for await (const message of stream) {
    lines.push(message.value, Buffer.from('\n'))
    left--
    if (lines.length === 4000 || left === 0) {
      process.stdout.write(Buffer.concat(lines))
      lines = []
    }
    if (left === 0) break
  }
  await consumer.close(true)
}

await (command === 'produce' ? produce(argument) : consume(argument))
