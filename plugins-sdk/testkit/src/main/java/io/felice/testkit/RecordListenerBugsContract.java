package io.felice.testkit;

import io.felice.api.TopicPartition;
import io.felice.api.listener.ReceivedRecord;
import io.felice.api.listener.RecordAppender;
import io.felice.api.listener.RecordListener;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** Shows that {@link RecordListenerContract} catches wrong listeners. */
public abstract class RecordListenerBugsContract
        extends PluginBugsContract<RecordListenerBugsContract.Making, RecordListenerContract> {
    private static final int LEAST_BUGS = 12;

    /** Makes a listener. */
    public interface Making {
        RecordListener listener(RecordAppender appender);
    }

    protected RecordListenerBugsContract() {
        super(RecordListenerContract.class, LEAST_BUGS);
    }

    private interface Mistake {
        void received(RecordListener good, ReceivedRecord record) throws Exception;
    }

    private static PluginBug<Making> bug(String name, String caughtBy, Mistake mistake) {
        return new PluginBug<>(name, caughtBy, making -> appender -> {
            RecordListener good = making.listener(appender);
            return record -> mistake.received(good, record);
        });
    }

    @Override
    List<PluginBug<Making>> bugs() {
        List<PluginBug<Making>> bugs = new java.util.ArrayList<>(ofRecords());
        bugs.addAll(ofAppending());
        return bugs;
    }

    private static List<PluginBug<Making>> ofRecords() {
        String every = "everyRecordThatATopicMayHaveIsReceived";
        return List.of(
                bug("needs a key", every, (good, record) -> {
                    record.key().clone();
                    good.received(record);
                }),
                bug("needs a value", every, (good, record) -> {
                    record.value().clone();
                    good.received(record);
                }),
                bug("needs a first byte", every, (good, record) -> {
                    if (record.key() != null && record.key()[0] == 1) {
                        return;
                    }
                    good.received(record);
                }),
                bug("needs values of headers", every, (good, record) -> {
                    record.headers().forEach(header -> header.value().clone());
                    good.received(record);
                }),
                bug("needs each header once", every, (good, record) -> {
                    Set<String> keys = new HashSet<>();
                    record.headers().forEach(header -> {
                        if (!keys.add(header.name())) {
                            throw new IllegalArgumentException("twice: " + header.name());
                        }
                    });
                    good.received(record);
                }),
                bug("needs small records", every, (good, record) -> {
                    if (record.value() != null && record.value().length > 1 << 16) {
                        throw new IllegalArgumentException("too large");
                    }
                    good.received(record);
                }),
                bug("changes the value", "theRecordIsNotChanged", (good, record) -> {
                    good.received(record);
                    record.value()[0]++;
                }),
                new PluginBug<>("refuses what it knows", "aRecordMayComeAgain", making -> appender -> {
                    RecordListener good = making.listener(appender);
                    Set<Long> seen = ConcurrentHashMap.newKeySet();
                    return record -> {
                        if (!seen.add(record.offset())) {
                            throw new IllegalStateException("seen already: " + record.offset());
                        }
                        good.received(record);
                    };
                }));
    }

    private static List<PluginBug<Making>> ofAppending() {
        return List.of(
                new PluginBug<>(
                        "does not wait for the append",
                        "whatIsAppendedIsAcknowledgedBeforeTheRecordCountsAsReceived",
                        making -> appender -> making.listener((topic, partition, key, value, headers) -> {
                            appender.append(topic, partition, key, value, headers);
                            return CompletableFuture.completedFuture(
                                    new RecordAppender.Place(new TopicPartition(topic, 0), 0));
                        })),
                bug("swallows failures", "aRecordWhoseAppendFailsIsNotReceived", (good, record) -> {
                    try {
                        good.received(record);
                    } catch (Exception ignored) {
                        Texts.pause();
                    }
                }),
                new PluginBug<>(
                        "works in the background", "aRecordWhoseAppendFailsIsNotReceived", making -> appender -> {
                            RecordListener good = making.listener(appender);
                            return record -> CompletableFuture.runAsync(() -> {
                                try {
                                    good.received(record);
                                } catch (Exception failed) {
                                    throw new IllegalStateException(failed);
                                }
                            });
                        }),
                new PluginBug<>(
                        "gives up after a failure",
                        "aRecordThatFailedIsAppendedWhenItComesAgain",
                        making -> appender -> {
                            RecordListener good = making.listener(appender);
                            Set<Long> failed = ConcurrentHashMap.newKeySet();
                            return record -> {
                                if (failed.add(record.offset())) {
                                    good.received(record);
                                }
                            };
                        }),
                new PluginBug<>("works once in a JVM", "anUpdatedListenerDoesWhatTheOldOneDid", making -> {
                    Set<Long> done = ConcurrentHashMap.newKeySet();
                    return appender -> {
                        RecordListener good = making.listener(appender);
                        return record -> {
                            if (done.add(record.offset())) {
                                good.received(record);
                            }
                        };
                    };
                }));
    }
}
