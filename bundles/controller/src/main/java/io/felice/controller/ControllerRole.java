package io.felice.controller;

import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.BrokerConfig;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node is among the controllers of the cluster: standby; elected, and replaying the metadata log; or the one that
 * decides. While it decides, it keeps the cluster in order by itself: it elects leaders when brokers come and go, brings
 * leaders back to their preferred replicas, and takes snapshots.
 *
 * <p>Belongs to the controller's thread, except what the store knows of the controller.
 */
final class ControllerRole {
    private static final Logger log = LoggerFactory.getLogger(ControllerRole.class);
    private static final Duration SNAPSHOT_RETRY = Duration.ofSeconds(30);

    private final ControllerThread thread;
    private final RandomIds ids;
    private final Clock clock;
    private final Function<ClusterView, ClusterConfigs> configs;
    private final Membership membership;
    private final Snapshots snapshots;
    private final Runnable onChange;
    private final StoreLink link;
    private ClusterView view = ClusterView.EMPTY;
    private Reign reign;
    private Instant electedAt = Instant.EPOCH;

    /**
     * @param brokersMax the most brokers of the cluster
     * @param onChange called after each change of the role and of the metadata
     */
    ControllerRole(
            ControllerThread thread,
            RandomIds ids,
            Clock clock,
            Function<ClusterView, ClusterConfigs> configs,
            IntSupplier brokersMax,
            Snapshots snapshots,
            Runnable onChange) {
        this.thread = thread;
        this.ids = ids;
        this.clock = clock;
        this.configs = configs;
        this.membership = new Membership(brokersMax);
        this.snapshots = snapshots;
        this.onChange = onChange;
        this.link = new StoreLink(thread, new Events());
    }

    void bind(ClusterStore store) {
        link.bind(store);
    }

    /** Ends the term. */
    void unbind(ClusterStore store) {
        link.unbind(store);
    }

    /** Ends the term. */
    void close() {
        link.close();
    }

    // ---- what the store knows; any thread

    /** The broker that is the controller, as far as it is known. */
    Optional<Integer> controllerId() {
        return link.controllerId();
    }

    /** Since when that broker is the controller. */
    Optional<Instant> controllerSince() {
        return link.controllerSince();
    }

    boolean isKnownElsewhere() {
        return link.isControllerElsewhere();
    }

    /** Why nothing was decided, as the end of a sentence. */
    String whyUndecided() {
        return "the metadata store is " + (link.isConnected() ? "slow." : "away.");
    }

    // ---- this node

    /** The metadata as far as they are replayed. */
    ClusterView view() {
        return view;
    }

    /** True from the election until the end of the term. */
    boolean isElected() {
        return reign != null;
    }

    /** True once the metadata are replayed too. */
    boolean isActive() {
        return reign != null && reign.isActive();
    }

    /**
     * True if this node decides now. A node that the store has not answered for so long that another may be elected decides
     * nothing until it knows: what it knows may be old.
     */
    boolean mayDecide() {
        return isActive() && link.isConnected();
    }

    /** True if another broker is the controller. */
    boolean isElsewhere() {
        return reign == null && link.isControllerElsewhere();
    }

    /** Since when this node is elected; empty if it is not. */
    Optional<Instant> electedAt() {
        return Optional.ofNullable(reign).map(elected -> electedAt);
    }

    /** The controller epoch of this node; -1 if it is not elected. */
    long epoch() {
        return reign == null ? -1 : reign.term().epoch();
    }

    /** The metadata with all changes that this node has decided. */
    ClusterView planned() {
        return reign.planned();
    }

    /**
     * True if all that the planned view has is in the log. What was decided on anything else may be told to nobody before: if
     * this term has ended, the log may never have it.
     */
    boolean isPlannedInLog() {
        return view.version() >= reign.planned().version();
    }

    /** Completes with the version of the last change when that is in the log. */
    CompletionStage<Long> written() {
        return reign.written();
    }

    /**
     * Ends the term if the change is not written, because the changes after it were decided on the assumption that it
     * is.
     */
    CompletionStage<Long> append(List<MetadataRecord> records) {
        Reign by = reign;
        return by.append(records).whenComplete((version, failure) -> {
            if (failure != null) {
                thread.execute(() -> endOf(by));
            }
        });
    }

    private void endOf(Reign ended) {
        if (reign != null && reign == ended) {
            log.info(
                    "This node is no longer the controller; it was in controller epoch {}",
                    reign.term().epoch());
            reign = null;
            onChange.run();
        }
    }

    private void beginIfReplayed() {
        if (reign == null || !reign.mayBegin(view)) {
            return;
        }
        reign.begin(view);
        log.info(
                "This node decides as controller in epoch {}, from version {} of the metadata log on",
                reign.term().epoch(),
                view.version());
        if (view.clusterId().isEmpty()) {
            append(List.of(new MetadataRecord.ClusterNamed(RandomIds.text(ids.next()))));
        }
        brokersChanged();
        balanceLater(reign);
    }

    /** Looks again and again, for as long as this node reigns, whether the preferred leaders lead. */
    private void balanceLater(Reign by) {
        String seconds = configs.apply(by.planned()).ofBrokers(BrokerConfig.LEADER_IMBALANCE_CHECK_INTERVAL);
        thread.after(Duration.ofSeconds(Long.parseLong(seconds.trim())), () -> {
            if (reign == by) {
                balance();
                balanceLater(by);
            }
        });
    }

    private void balance() {
        ClusterConfigs now = configs.apply(reign.planned());
        if (Boolean.parseBoolean(
                now.ofBrokers(BrokerConfig.AUTO_LEADER_REBALANCE).trim())) {
            List<MetadataRecord> records = Leaders.balanced(now);
            if (!records.isEmpty()) {
                log.info("{} partitions go back to their preferred leaders", records.size());
                append(records);
            }
        }
    }

    private void brokersChanged() {
        Membership.Admission members = membership.decide(reign.planned(), reign.registered());
        List<MetadataRecord> records =
                new ArrayList<>(Leaders.brokersChanged(configs.apply(reign.planned()), members.admitted())
                        .records());
        records.addAll(members.refusals());
        if (!records.isEmpty()) {
            append(records);
        }
    }

    /** Runs on the controller's thread. */
    private final class Events implements StoreLink.Listener {
        @Override
        public void reset(long version, List<MetadataRecord> snapshot) {
            view = ClusterView.EMPTY.after(version, snapshot);
            snapshots.reset(snapshot.size());
            beginIfReplayed();
            onChange.run();
        }

        @Override
        public void changed(long version, List<MetadataRecord> records) {
            ClusterView before = view;
            view = view.after(version, records);
            if (isActive()) {
                Announcements.log(before, view, records);
            }
            snapshots.changed(records);
            beginIfReplayed();
            if (isActive()) {
                snapshots.takeIfDue(reign, view, thread, SNAPSHOT_RETRY);
            }
            onChange.run();
        }

        @Override
        public void elected(Term term) {
            reign = new Reign(term);
            electedAt = clock.instant().truncatedTo(ChronoUnit.SECONDS);
            membership.newTerm();
            snapshots.newTerm();
            beginIfReplayed();
            onChange.run();
        }

        @Override
        public void deposed() {
            endOf(reign);
        }

        /** A snapshot needs a batch in the log that it covers, so this appends a batch without records. */
        @Override
        public void damaged(String what) {
            if (isActive() && snapshots.wantSoon()) {
                log.warn(
                        "{}. The controller writes a snapshot of all metadata, so that no node needs the lost part any"
                                + " more",
                        what);
                append(List.of());
            }
        }

        @Override
        public void brokers(List<LiveRegistration> live) {
            if (reign != null) {
                reign.registered(live);
                if (isActive()) {
                    brokersChanged();
                } else {
                    beginIfReplayed();
                }
                onChange.run();
            }
        }
    }
}
