"""PID controller of one heater: duty from temperature, in floats, no clock.

u = kp e + ki integral(e) - kd dT/dt, derivative on the measurement and filtered over FILTER_S, u within 0 and max_duty.  The
integral stands while u is at its limit in the direction of the error (anti-windup), and stays within 0 and max_duty by itself,
since a heater cannot cool.
"""

FILTER_S = 1.0
_STEP_MAX_S = 1.0  # a longer pause between two calls is taken as this long


class Pid:
    """data: kp (1/K), ki (1/(K s)), kd (s/K).  max_duty: 0 to 1."""

    def __init__(self, data, max_duty):
        self._kp = data["kp"]
        self._ki = data["ki"]
        self._kd = data["kd"]
        self._max_duty = max_duty
        self.reset()

    def reset(self):
        """Forgets what was: the heater has been off, or the reading was not believable."""
        self._integral = 0.0
        self._slope_c_s = 0.0
        self._last_c = None

    def duty(self, target_c, current_c, dt_s):
        """Duty 0 to max_duty for the next period; dt_s since the last call."""
        dt_s = min(max(dt_s, 0.001), _STEP_MAX_S)
        if self._last_c is not None:
            slope = (current_c - self._last_c) / dt_s
            self._slope_c_s += (slope - self._slope_c_s) * dt_s / (FILTER_S + dt_s)
        self._last_c = current_c
        error_c = target_c - current_c
        wanted = self._kp * error_c + self._integral - self._kd * self._slope_c_s
        if (wanted < self._max_duty or error_c < 0) and (wanted > 0 or error_c > 0):
            self._integral = min(max(self._integral + self._ki * error_c * dt_s, 0.0), self._max_duty)
        return min(max(wanted, 0.0), self._max_duty)
