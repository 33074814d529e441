"""Locust as the users of the reminder service (`nxcloud_reminders`), which is the client under test."""

from locust import HttpUser, constant_throughput, task


class Patient(HttpUser):
    wait_time = constant_throughput(2)  # requests a second, for each user

    @task
    def ask_for_a_reminder(self):
        reminder = {"phone": "6281200000000", "audio": "https://files.example.com/appointment.mp3"}
        with self.client.post("/reminders", json=reminder, catch_response=True) as reply:
            if reply.status_code != 201:
                reply.failure(reply.text)
