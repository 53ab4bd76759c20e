package io.felice.wire.mqtt;

import java.util.concurrent.atomic.LongAdder;

/** What was counted since the start. Any thread. */
final class MqttCounters {
    final LongAdder published = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder delivered = new LongAdder();
    final LongAdder again = new LongAdder();
    /** Messages that are larger than their subscriber accepts. */
    final LongAdder tooLarge = new LongAdder();

    final LongAdder takenOver = new LongAdder();
    final LongAdder wills = new LongAdder();
}
