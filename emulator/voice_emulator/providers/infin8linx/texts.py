"""The texts that the service sends, in both languages of its documents.

The English books translate them, the Chinese books show the originals; which of them the live
service sends is not certain, so the setting ``language`` chooses. Texts that no page shows are marked
below and kept plain.
"""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH = "english"
CHINESE = "chinese"

#: name -> (English, Chinese). From the pages of the operations, unless marked.
_TEXTS: Mapping[str, tuple[str, str]] = {
    "accepted": ("successful request", "请求成功"),  # Chinese not seen
    "PlayVoice": ("Play command sent successfully", "播放命令发送成功"),
    "Login": ("Authorization successful", "授权成功"),  # Chinese not seen
    "Logout": ("logout successful", "注销成功"),
    "GetBill": ("get success", "获取成功"),  # English as on the recording link page
    "GetRecodeFile": ("get success", "获取成功"),
    "expires": ("Expiration time:", "过期时间:"),  # Chinese not seen
    "illegal": ("Illegal request: ", "非法请求："),
    # Inner texts of an illegal request: PhalApi's built-in ones and their translation, not seen.
    "missing": ("missing required parameter {name}", "缺少必要参数{name}"),
    "range": ("parameter {name} should be one of {wanted}", "参数{name}应该为：{wanted}"),
    "format": ("{name} does not match the required format", "{name}无法匹配#regex"),
    "too_many": ("destnumber should not exceed {wanted} numbers", "destnumber不应超过{wanted}个号码"),
    "no_file": ("voicefile does not exist", "voicefile不存在"),
    "no_caller": ("disnumber is not available", "disnumber不可用"),
    "backwards": ("starttime should not be later than endtime", "starttime应该小于或等于endtime"),
    "method": ("the request method should be POST", "请求方式应该为POST"),
    "undecodable": ("the request body cannot be read", "请求内容无法解析"),
    "no_service": ("service {name} does not exist", "接口服务{name}不存在"),
    # What ``data.desc`` says of a failure; the page's sample is "xxxfail".
    "Login failed": ("authorization fail", "授权失败"),
    "Logout failed": ("logout fail", "注销失败"),
    "PlayVoice failed": ("play command fail", "播放命令发送失败"),
    "GetBill failed": ("get fail", "获取失败"),
    "GetRecodeFile failed": ("get fail", "获取失败"),
}

#: Texts of the codes in Chinese. 400, 601 to 604 and 1003 as on "Common API - Global error and status codes"; the
#: others follow the meaning that this page, or a public client, gives.
CHINESE_CODES: Mapping[str, str] = {
    "400": "非法请求", "404": "接口服务不存在", "500": "服务器运行错误", "600": "token无效，请重新登录",
    "601": "appid未授权", "602": "appid授权已过期", "603": "模块未授权", "604": "IP未授权",
    "1001": "服务器连接失败", "1002": "操作异常", "1003": "操作失败", "1010": "分机异常", "1011": "非法分机",
    "1012": "分机不存在", "1013": "分机已禁用", "1014": "分机未注册", "1015": "分机未在通话",
    "1016": "分机已启用", "1017": "分机已注册", "1018": "号码已启用", "1019": "号码已禁用",
    "1020": "号码不存在", "1021": "非法号码", "1024": "任务不存在", "1025": "任务未启动",
    "1026": "任务运行中", "1027": "任务已暂停", "1028": "任务已结束", "1029": "文件不存在",
    "1031": "策略设置错误", "1032": "违反策略规则", "1033": "策略无资源",
}  # fmt: skip

#: Login's own text of code 1003, as in the page's sample of a failure.
AUTHORIZATION_FAILED = ("Authorization failed", "授权失败")


def translated(language: str, text: str, /, **values: object) -> str:
    """The text called ``text`` in ``language``, with its placeholders filled in."""
    return _TEXTS[text][language == CHINESE].format(**values)
