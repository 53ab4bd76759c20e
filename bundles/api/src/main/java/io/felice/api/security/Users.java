package io.felice.api.security;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The users of the cluster, for the shell and the console. The metadata log keeps their passwords as SCRAM credentials; the
 * mechanisms PLAIN and SCRAM check them while the setting {@code credential.store} is {@code felice}.
 *
 * <p>Any thread may call the methods. They do not block, but computing credentials takes some milliseconds of the calling
 * thread. A stage completes on any thread when this node has seen the change. It fails with the errors of {@link
 * io.felice.api.cluster.Admin#alterUsers}, and as all stages of {@code Admin} do.
 */
@ProviderType
public interface Users {
    /** The longest password in bytes. */
    int MOST_PASSWORD_BYTES = 1_024;

    /**
     * A user.
     *
     * @param iterations the iterations of the password's credential by mechanism
     */
    record User(String name, Map<ScramMechanism, Integer> iterations) {}

    /** All users that this node has read from the metadata log, by name. */
    List<User> list();

    /**
     * Makes a user, or gives it another password, for all mechanisms. Connections that have logged in stay open.
     *
     * @param password in UTF-8; cleared before this method returns
     * @return fails with UNACCEPTABLE_CREDENTIAL if the password is empty, too long, or has a NUL
     */
    CompletionStage<Void> setPassword(String user, byte[] password);

    /** Removes the password of a user for all mechanisms. Fails with RESOURCE_NOT_FOUND if there is no such user. */
    CompletionStage<Void> delete(String user);

    /**
     * True if the first administrator can be made with the one-time code of this node. That is so while the cluster has no
     * user and no ACL, and {@code authorizer} is {@code acl} or {@code none}. With {@code acl} the node has logged the code
     * when it found that.
     */
    boolean hasSetupCode();

    /** The code, for those who can read what the node prints and logs; empty while {@link #hasSetupCode} is false. */
    Optional<String> setupCode();

    /**
     * Makes the first administrator: a user with this password, and ACLs with which it may do everything. The code works
     * once. If the change fails, the code stays valid.
     *
     * @param code small letters, spaces and dashes do not matter
     * @param password in UTF-8; cleared before this method returns
     * @return fails with INVALID_REQUEST if there is no code; after a delay with CLUSTER_AUTHORIZATION_FAILED if it is
     *     another one; with THROTTLING_QUOTA_EXCEEDED while a wrong code is being answered, and after many wrong codes
     */
    CompletionStage<Void> redeem(String code, String user, byte[] password);
}
