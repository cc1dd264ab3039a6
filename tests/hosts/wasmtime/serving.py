"""`wasmtime serve` on a port that the system picks."""

import subprocess


class Serving:
    @classmethod
    def of(cls, program, composed, folder, variables):
        options = ["-S", "cli", "--addr", "127.0.0.1:0", "--dir", f"{folder}::/store"]
        for name, value in variables.items():
            options += ["--env", f"{name}={value}"]
        return cls([program, "serve", *options, composed])

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        # "Serving HTTP on http://127.0.0.1:40123/"
        line = self.process.stderr.readline()
        if "http://" not in line:
            self.process.terminate()
            raise AssertionError(line + self.process.communicate()[1])
        self.address = line.split()[-1]

    def stop(self):
        self.process.terminate()
        self.process.communicate()
