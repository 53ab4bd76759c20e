import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { dark } from '../settings'
import { t } from '../texts'

interface ChartProps {
    title: string
    /** Seconds since 1970, ascending. */
    times: number[]
    series: { name: string; values: (number | null)[] }[]
    words: (value: number | undefined) => string
    /** The values are bytes: the axis has steps of powers of two. */
    bytes?: boolean
}

const POWERS = Array.from({ length: 50 }, (_, power) => 2 ** power)

const COLOURS = ['--indigo-9', '--amber-9', '--grass-9']

export function Chart({ title, times, series, words, bytes }: ChartProps) {
    const place = useRef<HTMLDivElement>(null)
    const plot = useRef<uPlot>()
    const isDark = dark.value
    const names = series.map((each) => each.name).join()
    useEffect(() => {
        const element = place.current!
        const style = getComputedStyle(document.documentElement)
        const colour = (name: string) => style.getPropertyValue(name).trim()
        const axis = { stroke: colour('--slate-11'), font: `11px ${colour('--font')}`, grid: { stroke: colour('--slate-4'), width: 1 }, ticks: { show: false } }
        const made = new uPlot(
            {
                width: Math.max(200, element.clientWidth),
                height: element.clientHeight || 150,
                padding: [6, 18, 0, 0],
                legend: { show: false },
                cursor: { y: false, points: { size: 5 }, drag: { x: false, y: false } },
                scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
                axes: [
                    { ...axis, space: 70, size: 24, values: [[3600, '{HH}:{mm}', null, null, null, null, null, null, 1], [60, '{HH}:{mm}', null, null, null, null, null, null, 1], [1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1]] },
                    { ...axis, size: 72, space: 28, gap: 6, ...(bytes ? { incrs: POWERS } : {}), values: (_, ticks) => ticks.map((value) => words(value)) },
                ],
                series: [
                    {},
                    ...series.map((each, index) => ({
                        label: each.name,
                        stroke: colour(COLOURS[index % COLOURS.length]),
                        width: 1.5,
                        fill: index === 0 ? colour('--indigo-3') : undefined,
                        points: { show: false },
                    })),
                ],
            },
            [times, ...series.map((each) => each.values)] as uPlot.AlignedData,
            element,
        )
        plot.current = made
        const sizes = new ResizeObserver(() => made.setSize({ width: Math.max(200, element.clientWidth), height: element.clientHeight || 150 }))
        sizes.observe(element)
        return () => {
            sizes.disconnect()
            made.destroy()
        }
    }, [names, isDark])
    useEffect(() => plot.current?.setData([times, ...series.map((each) => each.values)] as uPlot.AlignedData), [times, series])
    const last = (values: (number | null)[]) => values.findLast((value) => value !== null) ?? undefined
    const summary = series.map((each) => t.chartSays(each.name, words(last(each.values)), words(Math.max(0, ...each.values.map((value) => value ?? 0))))).join('; ')
    return (
        <figure class="chart">
            <figcaption>
                <b>{title}</b>
                <span class="legend">
                    {series.map((each, index) => (
                        <span key={each.name} class={'s' + index}>
                            <i />
                            {series.length > 1 && each.name} <b>{words(last(each.values))}</b>
                        </span>
                    ))}
                </span>
            </figcaption>
            <div class="plot" ref={place} role="img" aria-label={`${title}: ${summary}`} />
        </figure>
    )
}

/** A curve the size of a word. */
export function Spark({ values, label }: { values: (number | null)[]; label: string }) {
    if (values.length < 2) return null
    const most = Math.max(1e-9, ...values.map((value) => value ?? 0))
    let path = ''
    let pen = false
    values.forEach((value, index) => {
        if (value === null) pen = false
        else {
            path += `${pen ? 'L' : 'M'}${((index / (values.length - 1)) * 100).toFixed(1)} ${(19 - (value / most) * 18).toFixed(1)}`
            pen = true
        }
    })
    return (
        <svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
            <path d={path} />
        </svg>
    )
}
