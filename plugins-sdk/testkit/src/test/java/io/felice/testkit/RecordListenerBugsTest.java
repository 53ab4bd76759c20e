package io.felice.testkit;

import io.felice.api.TopicPartition;
import io.felice.api.listener.ReceivedRecord;
import io.felice.api.listener.RecordAppender;
import io.felice.api.listener.RecordListener;
import java.util.List;
import java.util.function.UnaryOperator;

/** The mistakes are put into a listener that copies records without a key to another topic. */
class RecordListenerBugsTest extends RecordListenerBugsContract {
    private static RecordListener copying(RecordAppender appender) {
        return record -> {
            if (record.key() == null) {
                appender.append("without-key", 0, null, record.value(), record.headers())
                        .toCompletableFuture()
                        .join();
            }
        };
    }

    @Override
    protected RecordListenerContract contract(UnaryOperator<Making> mistake) {
        Making making = mistake.apply(RecordListenerBugsTest::copying);
        return new RecordListenerContract() {
            @Override
            protected RecordListener listener(RecordAppender appender) {
                return making.listener(appender);
            }

            @Override
            protected ReceivedRecord appended() {
                return new ReceivedRecord(new TopicPartition("orders", 0), 7, 0, null, new byte[] {1}, List.of());
            }
        };
    }
}
