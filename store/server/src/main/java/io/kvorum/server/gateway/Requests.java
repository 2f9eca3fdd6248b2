package io.kvorum.server.gateway;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;

/** The requests of one call, read one at a time. */
interface Requests {
  /** The next request; null when there is none now. */
  Message next();

  /** Whether there will be no more, once {@link #next} has answered null. */
  boolean over();

  /** This one alone. */
  static Requests one(Message message) {
    return new Requests() {
      private Message ready = message;

      @Override
      public Message next() {
        Message only = ready;
        ready = null;
        return only;
      }

      @Override
      public boolean over() {
        return true;
      }
    };
  }

  /** Those in one text. The first that cannot be read ends them, as in etcd. */
  final class Written implements Requests {
    private static final System.Logger LOG = System.getLogger(Requests.class.getName());

    private final JsonValues values;
    private final Message empty;
    private final JsonForms forms;
    private boolean failed;

    Written(JsonValues values, Message empty, JsonForms forms) {
      this.values = values;
      this.empty = empty;
      this.forms = forms;
    }

    @Override
    public Message next() {
      if (failed || !values.hasNext()) {
        return null;
      }
      try {
        return forms.read(values.next(), empty);
      } catch (InvalidProtocolBufferException wrong) {
        LOG.log(System.Logger.Level.DEBUG, "a request of a stream cannot be read", wrong);
        failed = true;
        return null;
      }
    }

    boolean failed() {
      return failed;
    }

    @Override
    public boolean over() {
      return true;
    }
  }
}
