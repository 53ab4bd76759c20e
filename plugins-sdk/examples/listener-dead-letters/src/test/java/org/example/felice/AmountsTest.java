package org.example.felice;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.TopicPartition;
import io.felice.api.listener.ReceivedRecord;
import io.felice.api.listener.RecordAppender;
import io.felice.api.listener.RecordListener;
import io.felice.testkit.RecordListenerContract;
import java.util.List;

class AmountsTest extends RecordListenerContract {
    @Override
    protected RecordListener listener(RecordAppender appender) {
        return new Amounts("amounts.dead", appender);
    }

    @Override
    protected ReceivedRecord appended() {
        byte[] noAmount = "twelve".getBytes(UTF_8);
        return new ReceivedRecord(new TopicPartition("amounts", 0), 7, 0, null, noAmount, List.of());
    }
}
