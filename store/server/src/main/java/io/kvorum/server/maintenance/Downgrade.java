package io.kvorum.server.maintenance;

import io.kvorum.server.base.EtcdError;
import io.kvorum.server.cluster.ClusterView;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** etcd's rules of the downgrade call. Refusals are values; null means allowed. */
final class Downgrade {
  private static final Pattern VERSION = Pattern.compile("(0|[1-9]\\d{0,8})\\.(0|[1-9]\\d{0,8})(?:\\.(0|[1-9]\\d{0,8}))?");

  private Downgrade() {}

  /**
   * A version without its patch.
   *
   * @param major before the first dot
   * @param minor between the dots
   */
  record Minor(int major, int minor) {
    /** As stored: {@code 3.5.0}. */
    String full() {
      return this + ".0";
    }

    @Override
    public String toString() {
      return major + "." + minor;
    }
  }

  /** X.Y or X.Y.Z; null when it is neither. */
  static Minor parse(String version) {
    Matcher matcher = VERSION.matcher(version);
    return matcher.matches() ? new Minor(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))) : null;
  }

  /** Whether the cluster may go to a version: one minor below its own, and no other downgrade under way. */
  static EtcdError check(ClusterView view, String version) {
    Minor target = parse(version);
    if (target == null) {
      return EtcdError.WRONG_DOWNGRADE_VERSION_FORMAT;
    }
    Minor cluster = parse(view.clusterVersion());
    if (cluster == null) {
      return EtcdError.CLUSTER_VERSION_NOT_FOUND;
    }
    if (!target.equals(new Minor(cluster.major(), cluster.minor() - 1))) {
      return EtcdError.INVALID_DOWNGRADE_VERSION;
    }
    return view.downgrade().getEnabled() ? EtcdError.DOWNGRADE_IN_PROGRESS : null;
  }
}
