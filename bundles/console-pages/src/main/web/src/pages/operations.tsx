import { useEffect, useState } from 'preact/hooks'
import { change, type Problem } from '../api'
import type { Operation } from '../contract'
import { merge, operations, readOperations } from '../events'
import { rate, seconds } from '../format'
import { t } from '../texts'
import { Badge, Button, Empty, lacks, ProblemNote, Time, type Tone } from '../parts/base'
import { Dialog } from '../parts/dialog'

const TONES: Record<Operation['state'], Tone> = { running: 'busy', done: 'good', failed: 'bad', cancelled: 'none' }

/** Every long action of this node: it goes on by itself, whether somebody looks or not. */
export function Operations({ close }: { close: () => void }) {
    useEffect(() => void readOperations(), [])
    return (
        <Dialog title={t.operations.title} close={close} class="drawer">
            {operations.value.length === 0 ? (
                <Empty title={t.operations.none}>
                    <p class="soft">{t.operations.noneMore}</p>
                </Empty>
            ) : (
                <div aria-live="polite">
                    {operations.value.map((each) => (
                        <Work key={each.id} of={each} />
                    ))}
                </div>
            )}
        </Dialog>
    )
}

function Work({ of }: { of: Operation }) {
    const [problem, setProblem] = useState<Problem>()
    const cancel = async () => {
        try {
            merge(await change<Operation>('DELETE', `operations/${of.id}`))
        } catch (failure) {
            setProblem(failure as Problem)
        }
    }
    return (
        <div class="work">
            <div class="row apart">
                <b>{of.title}</b>
                <Badge tone={TONES[of.state]}>{t.operations.states[of.state]}</Badge>
            </div>
            <span>{of.sentence}</span>
            {of.state === 'running' && <progress value={of.percent} max={100} aria-label={of.title} />}
            <div class="row apart small soft">
                <span>
                    {[of.percent !== undefined && of.state === 'running' && `${Math.round(of.percent)} %`, of.rate !== undefined && of.state === 'running' && rate(of.rate), of.secondsLeft !== undefined && of.state === 'running' && t.operations.left(seconds(of.secondsLeft))].filter(Boolean).join(' · ')}
                    {of.state !== 'running' && <Time at={of.endedAt ?? of.startedAt} />}
                    {` · ${of.by}`}
                </span>
                {of.cancellable && of.state === 'running' && (
                    <Button small onClick={cancel} denied={lacks('operator')}>
                        {t.cancel}
                    </Button>
                )}
            </div>
            {problem && <ProblemNote problem={problem} />}
        </div>
    )
}

/** What stands on the page after a long action was begun. */
export function begun(operation: Operation): void {
    merge(operation)
}
