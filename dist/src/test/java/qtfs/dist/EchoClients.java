package qtfs.dist;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A program whose clients connect to one path at the same moment, say who they are, and print the
 * answer: {@code 7: 7} where client 7 got its own connection.
 */
final class EchoClients {
  private EchoClients() {}

  public static void main(String[] args) throws Exception {
    int clients = Integer.parseInt(args[1]);
    CountDownLatch start = new CountDownLatch(clients);
    // All stay connected until the last has its answer.
    CountDownLatch end = new CountDownLatch(clients);
    List<Future<String>> answers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(clients)) {
      for (int i = 0; i < clients; i++) {
        String who = Integer.toString(i);
        Callable<String> client =
            () -> {
              start.countDown();
              start.await();
              return who + ": " + ask(args[0], who, end);
            };
        answers.add(threads.submit(client));
      }
      for (Future<String> answer : answers) {
        print(answer);
      }
    }
  }

  private static String ask(String path, String who, CountDownLatch end) throws Exception {
    try (PlainSocket socket = PlainSocket.connect(path)) {
      socket.send(who, List.of());
      String answer = socket.receive().text();
      end.countDown();
      end.await();
      return answer;
    } catch (IOException e) {
      end.countDown();
      throw e;
    }
  }

  private static void print(Future<String> answer) throws InterruptedException {
    try {
      System.out.println(answer.get());
    } catch (ExecutionException e) {
      System.out.println(e.getCause());
    }
  }
}
