import { useState } from 'preact/hooks'
import { Plus, X } from 'lucide-preact'
import { change, part, Problem } from '../api'
import type { BytesToWrite, ProducedRecords, RecordToWrite, Topic } from '../contract'
import { count } from '../format'
import { poke } from '../live'
import { t } from '../texts'
import { Button, Choice, Note, ProblemNote, Select, Text } from '../parts/base'
import { Dialog, say, useWork } from '../parts/dialog'

export interface Draft {
    partition?: number
    key: BytesToWrite | null
    value: BytesToWrite | null
    headers: { name: string; value: BytesToWrite | null }[]
}

type As = 'text' | 'json' | 'base64' | 'null'

interface Side {
    as: As
    text: string
}

const sideOf = (bytes: BytesToWrite | null | undefined, empty: As): Side => (bytes === undefined ? { as: empty, text: '' } : bytes === null ? { as: 'null', text: '' } : bytes.text !== undefined ? { as: 'text', text: bytes.text } : { as: 'base64', text: bytes.base64 ?? '' })

function wrong({ as, text }: Side): string | undefined {
    if (as === 'json') {
        try {
            JSON.parse(text)
        } catch (failure) {
            return t.produce.notJson(String((failure as Error).message))
        }
    }
    if (as === 'base64' && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) return t.produce.notBase64
    return undefined
}

const written = ({ as, text }: Side): BytesToWrite | null => (as === 'null' ? null : as === 'base64' ? { base64: text.replace(/\s/g, '') } : { text })

/** Writes one record, or many that are pasted. */
export function Produce({ topic, draft, close, done }: { topic: Topic; draft?: Draft; close: () => void; done: () => void }) {
    const [many, setMany] = useState(false)
    const [partition, setPartition] = useState('')
    const [key, setKey] = useState<Side>(sideOf(draft?.key, 'null'))
    const [value, setValue] = useState<Side>(sideOf(draft?.value, 'text'))
    const [headers, setHeaders] = useState(draft?.headers.map((header) => ({ name: header.name, ...sideOf(header.value, 'text') })) ?? [])
    const [lines, setLines] = useState('')
    const [tried, setTried] = useState(false)
    const parsed = many ? parse(lines) : undefined
    const bad = many ? parsed!.wrong : (wrong(key) ?? wrong(value) ?? headers.map(wrong).find(Boolean))
    const work = useWork(async () => {
        const records: RecordToWrite[] = many
            ? parsed!.records
            : [{ partition: partition ? Number(partition) : undefined, key: written(key), value: written(value), headers: headers.filter((header) => header.name).map((header) => ({ name: header.name, value: written(header) })) }]
        const answer = await change<ProducedRecords>('POST', `topics/${part(topic.name)}/records`, { records })
        const failed = answer.records.filter((each) => each.problem)
        if (failed.length > 0) throw new Problem(failed[0].problem!.status, { ...failed[0].problem!, title: t.produce.failed(failed.length, answer.records.length) })
        const first = answer.records[0]
        say(answer.records.length === 1 ? t.produce.written(first.partition ?? 0, count(first.offset)) : t.produce.writtenMany(answer.records.length))
        poke('topics').value++
        done()
    }, close)
    return (
        <Dialog
            title={t.produce.title(topic.name)}
            close={close}
            broad
            submit={() => {
                setTried(true)
                if (!bad) void work.start()
            }}
            footer={
                <>
                    <span class="grow">{topic.cleanup.includes('compact') && !many && key.as === 'null' ? t.produce.needsKey : ''}</span>
                    <Button onClick={close}>{t.cancel}</Button>
                    <Button type="submit" kind="main" busy={work.busy}>
                        {t.produce.write}
                    </Button>
                </>
            }
        >
            <Choice label={t.produce.how} value={many ? 'many' : 'one'} options={[['one', t.produce.one], ['many', t.produce.many]]} onInput={(each) => setMany(each === 'many')} />
            {many ? (
                <Text label={t.produce.lines} help={t.produce.linesHelp} value={lines} onInput={setLines} lines={10} placeholder={'{"key":"42","value":{"item":"tea"},"headers":[["trace","a1"]]}'} wrong={tried || lines ? bad : undefined} />
            ) : (
                <>
                    <SideField name={t.messages.key} side={key} set={setKey} lines={1} tried={tried} />
                    <SideField name={t.messages.value} side={value} set={setValue} lines={7} tried={tried} />
                    {value.as === 'null' && <Note tone="warn">{t.produce.tombstone}</Note>}
                    <div class="stack tight">
                        {headers.map((header, index) => (
                            <div class="row" key={index}>
                                <input class="input fit" aria-label={t.produce.headerName} placeholder={t.produce.headerName} value={header.name} onInput={(event) => setHeaders(headers.map((each, i) => (i === index ? { ...each, name: event.currentTarget.value } : each)))} />
                                <span class="grow">
                                    <input class="input" aria-label={t.produce.headerValue} placeholder={header.as === 'null' ? t.messages.null : t.produce.headerValue} disabled={header.as === 'null'} value={header.text} onInput={(event) => setHeaders(headers.map((each, i) => (i === index ? { ...each, text: event.currentTarget.value } : each)))} />
                                </span>
                                <select class="input fit" aria-label={t.produce.as} value={header.as} onInput={(event) => setHeaders(headers.map((each, i) => (i === index ? { ...each, as: event.currentTarget.value as As } : each)))}>
                                    <option value="text">{t.produce.ways.text}</option>
                                    <option value="base64">{t.produce.ways.base64}</option>
                                    <option value="null">{t.produce.ways.null}</option>
                                </select>
                                <Button kind="bare" label={t.remove} icon={<X class="icon" />} onClick={() => setHeaders(headers.filter((_, i) => i !== index))} />
                            </div>
                        ))}
                        <div>
                            <Button small icon={<Plus class="icon" />} onClick={() => setHeaders([...headers, { name: '', as: 'text', text: '' }])}>
                                {t.produce.addHeader}
                            </Button>
                        </div>
                    </div>
                    <Select label={t.partition} value={partition} onInput={setPartition} options={[['', t.produce.byKey] as const, ...Array.from({ length: topic.partitions }, (_, id) => [String(id), t.messages.partitionNumber(id)] as const)]} />
                </>
            )}
            {work.problem && <ProblemNote problem={work.problem} />}
        </Dialog>
    )
}

function SideField({ name, side, set, lines, tried }: { name: string; side: Side; set: (side: Side) => void; lines: number; tried: boolean }) {
    const bad = wrong(side)
    return (
        <div class="stack tight">
            <div class="row apart">
                <h3>{name}</h3>
                <Choice label={t.produce.writtenAs(name)} value={side.as} options={(['text', 'json', 'base64', 'null'] as const).map((as) => [as, t.produce.ways[as]] as const)} onInput={(as) => set({ ...side, as: as as As })} />
            </div>
            {side.as !== 'null' && <Text label={name} hideLabel value={side.text} onInput={(text) => set({ ...side, text })} lines={lines} wrong={(tried || side.text) && bad ? bad : undefined} />}
        </div>
    )
}

/** One JSON object a line, as `felice produce` reads it and the export writes it. */
function parse(text: string): { records: RecordToWrite[]; wrong?: string } {
    const records: RecordToWrite[] = []
    const lines = text.split('\n')
    for (let i = 0; i < lines.length; i++) {
        if (!lines[i].trim()) continue
        try {
            const line = JSON.parse(lines[i])
            if (typeof line !== 'object' || line === null || Array.isArray(line)) return { records, wrong: t.produce.badLine(i + 1, t.produce.noObject) }
            const headers = (line.headers ?? []).map((header: any) => (Array.isArray(header) ? { name: String(header[0]), value: bytesOf(header[1]) } : { name: String(header.name), value: bytesOf(header.value, header.value_b64) }))
            records.push({ partition: line.partition, key: bytesOf(line.key, line.key_b64), value: bytesOf(line.value, line.value_b64), headers })
        } catch (failure) {
            return { records, wrong: t.produce.badLine(i + 1, (failure as Error).message) }
        }
    }
    return records.length > 0 ? { records } : { records, wrong: t.produce.noLines }
}

function bytesOf(value: unknown, base64?: string): BytesToWrite | null {
    if (typeof base64 === 'string') return { base64 }
    if (value === null || value === undefined) return null
    if (isBase64(value)) return { base64: value.b64 }
    return { text: typeof value === 'string' ? value : JSON.stringify(value) }
}

/** How `felice consume` writes the value of a header that is no text. */
const isBase64 = (value: unknown): value is { b64: string } => typeof value === 'object' && value !== null && Object.keys(value).join() === 'b64' && typeof (value as { b64: unknown }).b64 === 'string'
