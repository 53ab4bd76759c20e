package org.example.felice;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.RecordHeader;
import io.felice.api.listener.ReceivedRecord;
import io.felice.api.listener.RecordAppender;
import io.felice.api.listener.RecordListener;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * Adds up the amounts of the topic {@code amounts}: each value is a whole number as text. A record that is none goes to
 * another topic, with headers that say where it is from and what is wrong.
 */
@Component(
        service = {RecordListener.class, StatusSource.class},
        configurationPid = "org.example.felice.amounts",
        property = {RecordListener.NAME + "=amounts", RecordListener.TOPICS + "=amounts"})
@Designate(ocd = Amounts.Config.class)
public final class Amounts implements RecordListener, StatusSource {
    @ObjectClassDefinition(name = "Example: amounts")
    public @interface Config {
        @AttributeDefinition(description = "The topic that records go to that are no amounts. It has to exist.")
        String dead_letters() default "amounts.dead";
    }

    private static final TableSchema STATUS = TableSchema.of("example.amounts", "The amounts of the topic amounts")
            .gauge("sum", "The sum of the amounts that this node has received since its start")
            .counter("dead.letters", "Records that were no amounts");

    private final RecordAppender appender;
    private final String deadLetters;
    private final LongAdder sum = new LongAdder();
    private final LongAdder dead = new LongAdder();

    @Activate
    public Amounts(Config config, @Reference RecordAppender appender) {
        this(config.dead_letters(), appender);
    }

    Amounts(String deadLetters, RecordAppender appender) {
        this.deadLetters = deadLetters;
        this.appender = appender;
    }

    @Override
    public void received(ReceivedRecord record) throws Exception {
        try {
            sum.add(Long.parseLong(new String(record.value() == null ? new byte[0] : record.value(), UTF_8)));
        } catch (NumberFormatException noAmount) {
            bury(record, noAmount.getMessage());
        }
    }

    /** Returns when the dead letter is kept; if it cannot be kept, this throws and the record comes again. */
    private void bury(ReceivedRecord record, String why) throws Exception {
        List<RecordHeader> headers = new ArrayList<>(record.headers());
        headers.add(header("dead.from", record.partition() + "@" + record.offset()));
        headers.add(header("dead.because", why));
        appender.append(deadLetters, RecordAppender.ANY_PARTITION, record.key(), record.value(), headers)
                .toCompletableFuture()
                .get();
        dead.increment();
    }

    private static RecordHeader header(String name, String text) {
        return new RecordHeader(name, text.getBytes(UTF_8));
    }

    @Override
    public List<StatusTable> tables() {
        return List.of(STATUS.row(sum.sum(), dead.sum()));
    }
}
