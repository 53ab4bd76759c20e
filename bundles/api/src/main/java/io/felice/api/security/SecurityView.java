package io.felice.api.security;

import java.util.Map;
import java.util.Set;

/**
 * The users, ACLs and quotas of the cluster at one version of the metadata log. Immutable; any thread. A part that did not
 * change is the same object as in the view before.
 *
 * @param users the credentials of each user by mechanism
 * @param quotas the quotas of each entity by key
 */
public record SecurityView(
        Map<String, Map<ScramMechanism, ScramCredential>> users,
        Set<Acl> acls,
        Map<QuotaEntity, Map<String, Double>> quotas) {
    public static final SecurityView EMPTY = new SecurityView(Map.of(), Set.of(), Map.of());
}
