package io.felice.handlers;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import org.apache.kafka.common.Uuid;

/** The names of the topics of a fetch, which its later versions call by their ids. For one thread. */
final class TopicNaming {
    private final ClusterView view;
    private Uuid lastId;
    private String lastName;

    TopicNaming(ClusterView view) {
        this.view = view;
    }

    /** Null if the id is unknown. */
    String of(Wanted.Key key) {
        if (!(key.topic() instanceof Uuid id)) {
            return (String) key.topic();
        }
        if (!id.equals(lastId)) {
            lastId = id;
            lastName = view.topic(TopicIds.of(id)).map(TopicView::name).orElse(null);
        }
        return lastName;
    }
}
