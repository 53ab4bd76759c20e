package io.felice.handlers;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import org.apache.kafka.common.Uuid;

/** The names of the topics of a fetch, which its later versions call by their ids. For one thread. */
<<<<<<<< HEAD:bundles/handlers/src/main/java/io/felice/handlers/FetchedNames.java
final class FetchedNames {
========
final class TopicNaming {
>>>>>>>> rep:bundles/handlers/src/main/java/io/felice/handlers/TopicNaming.java
    private final ClusterView view;
    private Uuid lastId;
    private String lastName;

<<<<<<<< HEAD:bundles/handlers/src/main/java/io/felice/handlers/FetchedNames.java
    FetchedNames(ClusterView view) {
========
    TopicNaming(ClusterView view) {
>>>>>>>> rep:bundles/handlers/src/main/java/io/felice/handlers/TopicNaming.java
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
